"""The demo's last chapter, on the published log: cosigners, a receipt, a lost phone (X2, X3, X7).

Nothing here asks the notary: witnesses, the auditor, the third party and the new phone work from
what is published, and each checks it for itself.
"""

import time
from typing import Final

from specie.assembly.network import InProcessNetwork
from specie.assembly.overseers import Overseers
from specie.cli.people import Person, format_amount
from specie.cli.showing import ShownPayment
from specie.cli.telling import Narrator
from specie.cli.trust import load_trust
from specie.crypto.secrets import parse_phrase
from specie.ledger.receipts import verify_receipt
from specie.log.notes import verify_note
from specie.store.durable_files import replace_durably
from specie.tokens.holdings import derive_keys
from specie.values.amounts import sum_minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.wallet.proving import build_payment_part
from specie.wallet.restoring import (
    Restored,
    RestoreTrust,
    restore_from_log,
    restore_through_bank,
)

RECEIPT: Final = "rent.tlog-proof"


def tell_of_the_log(
    network: InProcessNetwork, overseers: Overseers, payment: ShownPayment, narrator: Narrator
) -> None:
    """After everything is published."""
    _cosign(overseers, narrator)
    _prove_payment(network, overseers, payment, narrator)
    _restore_phone(network, overseers, payment.payee, narrator)


def _cosign(overseers: Overseers, narrator: Narrator) -> None:
    with narrator.step("Two witnesses and an auditor put their names under the log"):
        overseers.cosign()
        totals = overseers.auditor.audit.totals
        narrator.say("witnesses: the log only grew, cosigned in Ed25519 and ML-DSA-44")
        narrator.say(
            f"auditor: judged {totals.transactions:,} transactions and"
            f" {totals.attestations:,} attestations again"
        )


def _prove_payment(
    network: InProcessNetwork, overseers: Overseers, payment: ShownPayment, narrator: Narrator
) -> None:
    payer, payee = payment.payer, payment.payee
    with narrator.step(f"{payer.client} proves to her landlord's court that she paid"):
        part = build_payment_part(payment.built, payee.wallet.keys.address)
        text = overseers.registration.prove_payment(part)
        replace_durably(network.settings.data / "receipts", RECEIPT, text.encode())
        proven = verify_receipt(text, load_trust(network.public, network.genesis.network))
        if proven.payment is None:
            raise SpecieError(ErrorCode.RECEIPT_INVALID, "the receipt is not of a payment")
        amount = format_amount(network, proven.payment.opening.amount)
        narrator.say(f"receipt of {len(text):,} bytes, verified offline: {amount} paid")
        names = sorted({key.name for key in proven.checkpoint.signers[1:]})
        narrator.say(f"under a checkpoint cosigned by {', '.join(names)}")


def _restore_phone(
    network: InProcessNetwork, overseers: Overseers, person: Person, narrator: Narrator
) -> None:
    with narrator.step(f"{person.client} loses his phone; a new one starts from his 24 words"):
        phrase = network.show_phrase(str(person.client))
        keys = derive_keys(parse_phrase(phrase), 0, person.bank.number)
        trust = _build_trust(network, person)
        started = time.perf_counter()
        outputs = person.bank.load_outputs(person.client)
        registration, log = overseers.registration, overseers.log
        through_bank = restore_through_bank(outputs, keys, registration, log, trust)
        middle = time.perf_counter()
        from_log = restore_from_log(log, keys, trust)
        ended = time.perf_counter()
        balance = person.wallet.get_balance()
        for how, found, seconds in (
            ("through his bank, checked against the log", through_bank, middle - started),
            ("from the log alone, asking nobody", from_log, ended - middle),
        ):
            _check_restored(found, balance)
            amount = format_amount(network, balance)
            narrator.say(f"{how}: {amount} in {1000 * seconds:,.0f} ms")
        narrator.say(f"the log has {trust.checkpoint.size:,} leaves")


def _build_trust(network: InProcessNetwork, person: Person) -> RestoreTrust:
    trust = load_trust(network.public, network.genesis.network)
    note = (network.public / "checkpoint").read_text()
    checkpoint = verify_note(note, trust.get_log_key(), trust.cosigners).checkpoint
    bank = trust.participants.get(person.bank.number)
    key = trust.participants.get_central_bank().institution_key
    return RestoreTrust(trust.genesis, bank, checkpoint, key)


def _check_restored(found: Restored, balance: int) -> None:
    if sum_minor([token.amount for token in found.tokens]) != balance:
        raise SpecieError(ErrorCode.FUNDS_INSUFFICIENT, "the restored wallet is another")
