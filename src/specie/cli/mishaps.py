"""What goes wrong in the story, and what becomes of it (T11, T15).

A phone dies, an answer is lost on the way to a bank, a copied wallet spends a second time.
"""

from dataclasses import replace
from typing import Final

from specie.assembly.network import InProcessNetwork
from specie.cli.people import Person, attest, format_amount, get_bank_name, publish_now
from specie.cli.showing import load_published_outputs
from specie.cli.telling import Narrator
from specie.flows.payment import pay, resume
from specie.flows.receiving import collect
from specie.ledger.evidence import verify_evidence
from specie.ledger.wire import encode_attested
from specie.tokens.building import PaymentOrder, build_payment
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError, SpentError

_COFFEE: Final = Minor(18_40)
_BOOK: Final = Minor(35_00)


def die_before_the_answer(
    network: InProcessNetwork, narrator: Narrator, payer: Person, payee: Person
) -> Person:
    """The payer's phone is killed after the notary's yes; gives the payer with a new process."""
    with narrator.step(f"{payer.client} pays again; her phone dies before it hears the answer"):
        order = _order(payee, _COFFEE)
        identifier = network.surroundings.identifiers.draw()
        prepared = payer.wallet.prepare_payment([order], identifier)
        sent = encode_attested(attest(network, prepared.built, payer.bank))
        promise = network.notary.notarise(sent)
        narrator.say(f"the notary says yes: {promise.signature.hex()[:24]}…; nobody hears it")
        reopened = network.reopen_wallet(str(payer.client), payer.bank.number)
        waiting = len(reopened.load_prepared())
        reserved = format_amount(network, reopened.get_balance())
        narrator.say(f"started again: {waiting} payment without an answer, {reserved} free")
        refusals = resume(reopened, payer.bank, network, network.notary)
        again = network.notary.notarise(sent)
        if refusals or again != promise or reopened.load_prepared():
            raise SpecieError(ErrorCode.PAYMENT_UNKNOWN, "the payment was lost")
        narrator.say(f"same bytes, same answer: {again.signature.hex()[:24]}…, paid once")
        collect(payee.client, payee.wallet, payee.bank)
        balance = format_amount(network, reopened.get_balance())
        narrator.say(f"{payer.client} has her change: {balance}; nothing is lost")
    return replace(payer, wallet=reopened)


def lose_the_delivery(
    network: InProcessNetwork, narrator: Narrator, payer: Person, payee: Person
) -> None:
    """The payee's bank never hears that a payment is final; the public log tells it."""
    bank = get_bank_name(network, payee.bank)
    with narrator.step(f"The {bank} hears no answer, and finds the money by itself"):
        identifier = network.surroundings.identifiers.draw()
        prepared = payer.wallet.prepare_payment([_order(payee, _BOOK)], identifier)
        attested = attest(network, prepared.built, payer.bank)
        promise = network.notary.notarise(encode_attested(attested))
        payer.bank.deliver(promise)
        payer.wallet.settle(identifier, promise)
        before = collect(payee.client, payee.wallet, payee.bank)
        publish_now(network)
        outputs = load_published_outputs(network.public)
        payee.bank.scan_published(outputs)
        found = collect(payee.client, payee.wallet, payee.bank)
        if (before, found) != (0, 1):
            raise SpecieError(ErrorCode.NOT_PUBLISHED, "the scan did not find the payment")
        narrator.say(f"{payee.client}'s phone asks its bank: {before} tokens")
        narrator.say(f"the bank scans {len(outputs)} published outputs by their hints")
        balance = format_amount(network, payee.wallet.get_balance())
        narrator.say(f"{payee.client}'s phone asks again: {found} token, balance {balance}")


def spend_twice(
    network: InProcessNetwork, narrator: Narrator, cheat: Person, payee: Person
) -> None:
    """The same tokens from a copy of the wallet: refused, proven, and the culprit is named."""
    with narrator.step(f"{cheat.client} spends the same tokens twice, from a copied wallet"):
        tokens, everything = cheat.wallet.load_tokens(), cheat.wallet.get_balance()
        context = network.surroundings.build_context()
        copied = build_payment([_order(cheat, everything)], tokens, cheat.wallet.keys, context)
        second = encode_attested(attest(network, copied, cheat.bank))
        identifier = network.surroundings.identifiers.draw()
        order = _order(payee, everything)
        first = pay(cheat.wallet, [order], identifier, cheat.bank, network, network.notary)
        collect(payee.client, payee.wallet, payee.bank)
        amount, balance = (
            format_amount(network, one) for one in (everything, payee.wallet.get_balance())
        )
        narrator.say(f"the first, {first.txid.hex()[:8]}…: {payee.client} has {amount} more,")
        narrator.say(f"  balance {balance}: final, whatever comes later")
        evidence = _offer_again(network, second)
        narrator.say(f"the second, {copied.signed.txid.hex()[:8]}…, back to herself: input_spent")
        found = verify_evidence(evidence, network.genesis.network)
        narrator.say(f"evidence, {len(evidence)} bytes, verified: the one-time key")
        narrator.say(f"  {found.output.owner.hex()[:16]}… signed both")
        bank = get_bank_name(network, cheat.bank)
        client = cheat.bank.identify(evidence, network.notary)
        narrator.say(f"{bank}: the key belongs to its client {client.name}")


def _offer_again(network: InProcessNetwork, second: bytes) -> bytes:
    try:
        network.notary.notarise(second)
    except SpentError as refused:
        return refused.evidence
    raise SpecieError(ErrorCode.INPUT_SPENT, "a second spend was accepted")


def _order(payee: Person, amount: Minor) -> PaymentOrder:
    return PaymentOrder(payee.wallet.keys.address, amount, Memo())
