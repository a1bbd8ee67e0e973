"""How many examples a machine is given, by the profile in force (tests/conftest.py)."""

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def play(machine: type[RuleBasedStateMachine], steps: int) -> None:
    """A fifteenth of the profile's examples: 6, or 133 under `soak` and `fuzz`."""
    examples = settings().max_examples // 15
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=steps)
    )
