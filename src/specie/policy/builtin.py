"""The policy that is in force until a bank sets its own: version 1.

Generous: it stops what no person's purse does by accident, and holds what somebody should look at.
Amounts are minor units; with two decimals, 100_000_000 is a million.
"""

from typing import Final

VERSION: Final = 1  # also of attestations made before banks had a policy

TEXT: Final = """\
name = "built in"
default_tier = "person"

[cases]
two_people_from = 100_000_000_000   # a held payment of this amount is released by two people
release_minutes = 1_440             # and has to be sent again within a day

[[tier]]                            # opened with a name and a phone number alone
name = "basic"
requires = ["name", "phone"]
limits = { payment = 100_000, day = 200_000, month = 1_000_000, holding = 500_000, \
payments_per_hour = 100 }

[[tier]]                            # identified: no limit that needs what was paid before
name = "person"
requires = ["name", "phone", "birth-date", "document"]
limits = { payment = 1_000_000_000_000 }

[[tier]]                            # companies, with those who sign for them
name = "business"
requires = ["name", "phone", "registration-number", "country"]
limits = { payment = 100_000_000_000_000 }

[[rule]]                            # signed, and noted beside the payment
name = "large-payment"
kind = "threshold"
amount = 1_000_000_000
consequence = "sign"

[[rule]]                            # an officer looks at it first
name = "very-large-payment"
kind = "threshold"
direction = "out"
tiers = ["basic", "person"]
amount = 500_000_000_000
consequence = "hold"
"""
