"""How many examples a machine is given, by the profile in force (tests/conftest.py)."""

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def play(machine: type[RuleBasedStateMachine], steps: int) -> None:
    """A tenth of the profile's examples: 10, or 200 under `soak` and `fuzz`."""
    examples = settings().max_examples // 10
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=steps)
    )
