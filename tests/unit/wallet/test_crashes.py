"""Killed at every step of a payment, then started again: money is conserved (T15, X12)."""

from contextlib import suppress

from specie.flows.payment import resume
from specie.values.identifiers import ClientId
from specie.wallet.vault import Vault
from tests.country import Country, Person
from tests.faults import Deed, Killed, kill_everywhere, sabotaged

AMOUNT = 10
START = 100_000


def restart(country: Country, person: Person) -> None:
    """The device's process comes up again: a new vault over the same store."""
    store = person.wallet._store  # noqa: SLF001  # what a restarted process would open again
    Vault(person.wallet.keys, store, country.network.surroundings)


def count_outgoing(country: Country, client: ClientId) -> int:
    """Payments of a client that its bank knows to be final."""
    movements = country.north.load_movements(client)
    return sum(not one.is_incoming and one.is_final for one in movements)


def run_crashes(country: Country, payee: Person, *, is_restarted: bool) -> list[str]:
    """Pay the payee, killed everywhere; after each round everything is where it belongs."""
    anna = country.open_person(country.north, START // 2, START // 2)
    done = 0

    def make_deed() -> Deed:
        payment_id = country.identifiers.draw()
        return lambda: country.pay(anna, payee, AMOUNT, payment_id)

    def check() -> None:
        nonlocal done
        done += 1
        payee.collect()
        anna.collect()
        assert payee.wallet.get_balance() == done * AMOUNT
        assert anna.wallet.get_balance() == START - done * AMOUNT
        assert count_outgoing(country, anna.id) == done
        assert anna.wallet.load_prepared() == []

    killed_at = kill_everywhere(
        make_deed, lambda: restart(country, anna) if is_restarted else None, check
    )
    assert len(killed_at) + 1 == done
    return killed_at


def test_a_payment_across_banks_survives_being_killed(country: Country) -> None:
    payee = country.open_person(country.south)
    killed_at = run_crashes(country, payee, is_restarted=True)
    for step in (
        "SqliteVaultStore.reserve",
        "SqliteVaultStore.record_payment",
        "Bank.attest_payment",
        "Bank.attest_receipt",
        "SqliteClientStore.record_attested",
        "Notary.notarise",
        "SqliteNotaryStore.record_batch",
        "SqliteClientStore.finalise",
        "Bank.deliver",
        "SqliteVaultStore.settle",
    ):
        assert f"before {step}" in killed_at
    assert killed_at[-1] == "after SqliteVaultStore.settle"
    country.check_money()


def test_a_payment_goes_on_without_a_restart_too(country: Country) -> None:
    """The caller stops and asks again, while the process and its reservations live on."""
    payee = country.open_person(country.north)
    assert len(run_crashes(country, payee, is_restarted=False)) > 10
    country.check_money()


def test_what_was_signed_is_sent_again_at_the_start(country: Country) -> None:
    """Nobody remembers the payment id: the device itself sends what waits, byte for byte."""
    anna = country.open_person(country.north, *[AMOUNT] * 40)
    boris = country.open_person(country.south)
    network, resent = country.network, 0
    for place in range(20):
        before = boris.wallet.get_balance()
        with sabotaged(place), suppress(Killed):
            country.pay(anna, boris, AMOUNT)
        restart(country, anna)
        waiting = len(anna.wallet.load_prepared())
        assert resume(anna.wallet, anna.bank, network, network.notary) == []
        boris.collect()
        received = boris.wallet.get_balance() - before
        assert received == AMOUNT if waiting else received in (0, AMOUNT)
        assert anna.wallet.get_balance() + boris.wallet.get_balance() == 40 * AMOUNT
        resent += waiting
    assert resent > 5
    country.check_money()
