"""Settings that hold for every test: how many random examples a property is tried on."""

import os

from hypothesis import HealthCheck, settings

# No deadline: one proof takes milliseconds, and the machine may be busy with other tests.
settings.register_profile("test", deadline=None, suppress_health_check=[HealthCheck.too_slow])

# The same examples on every run would find the same bugs; these two keep looking for new ones.
settings.register_profile("soak", settings.get_profile("test"), max_examples=2_000)
settings.register_profile(
    "fuzz",
    settings.get_profile("test"),
    max_examples=int(os.environ.get("SPECIE_FUZZ_EXAMPLES", "2000")),
    print_blob=True,
)

settings.load_profile("test")
