"""A dry run judges as the bank judged: what passed a policy is not refused by it (X9)."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from specie.bank.access import Operator
from specie.bank.compliance import Compliance
from specie.bank.losses import name_retired
from specie.bank.supervision import Neighbours
from specie.flows.payment import complete_payment
from specie.tokens.building import BuiltTransaction
from specie.values.limits import ATTEST_EARLY_MS_MAX
from tests.country import NORTH, Country, Person, build_country, find_code

ADA = Operator("Ada", "my watch")
POLICY = """
default_tier = "one"
[[tier]]
name = "one"
limits = { payment = 40, payments_per_hour = 3, day = 90, holding = 120 }
"""
COINS = (10, 20, 30, 40)
Step = tuple[str, int, int, int]
STEPS = st.tuples(
    st.sampled_from(["paid", "came to nothing"]),
    st.integers(0, 2),
    st.integers(0, 2),
    st.sampled_from(COINS),
)


def prepare(place: Path) -> tuple[Country, Compliance, list[Person]]:
    """Three clients of one bank, of whom the last has its waterfall on."""
    country = build_country(place)
    desk = country.network.compliance[NORTH]
    desk.set_policy(ADA, POLICY)
    people = [country.open_person(country.north, *COINS) for _ in range(3)]
    known = Neighbours(is_waterfall_on=lambda client: client == people[2].id)
    desk.supervision._neighbours = known  # noqa: SLF001  # who else knows of switches
    return country, desk, people


def attest(country: Country, built: BuiltTransaction) -> bool:
    return find_code(lambda: country.north.attest_payment(built)) is None


def play(country: Country, people: list[Person], step: Step) -> None:
    """A token pays somebody, if the policy lets it."""
    what, payer, payee, amount = step
    token = next((one for one in people[payer].wallet.load_tokens() if one.amount == amount), None)
    if token is None or payer == payee:
        return
    built = country.build(people[payer], people[payee], amount, token)
    if what == "paid":
        network = country.network
        find_code(lambda: complete_payment(built, country.north, network, network.notary))
    elif attest(country, built):
        ends = built.signed.body.not_after + ATTEST_EARLY_MS_MAX + 1
        country.clock.advance(ends - country.clock.now())


@settings(max_examples=6)
@given(steps=st.lists(STEPS, min_size=1, max_size=6), is_lost=st.booleans())
def test_the_policy_in_force_would_have_refused_nothing(
    steps: list[Step], *, is_lost: bool
) -> None:
    with tempfile.TemporaryDirectory() as place:
        country, desk, people = prepare(Path(place))
        for step in steps:
            play(country, people, step)
        if is_lost:
            recover(country, people[0])
        found = desk.rehearse(ADA, POLICY)
        assert found.refused.payments == 0, found.rows.keys()
        assert found.judged.payments > 0


def recover(country: Country, person: Person) -> None:
    """All that is in a lost wallet goes to its owner's new one, over every limit."""
    country.north._clients.retire(  # noqa: SLF001  # what the office for losses does with it
        person.id, name_retired(person.id, 1)
    )
    wallet = country.network.make_wallet(f"new {person.id}", NORTH)
    heir = country.open_person(country.north, name=person.id, wallet=wallet)
    for token in person.wallet.load_tokens():
        attest(country, country.build(person, heir, token.amount, token))
