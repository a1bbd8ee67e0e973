"""Golden receipts: made once on a real small network, they must verify forever."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from specie.assembly.network import InProcessNetwork, Settings, build_network
from specie.assembly.overseers import Overseers, build_overseers
from specie.assembly.system import RandomIdentifiers, SystemClock
from specie.flows.issuance import issue
from specie.flows.payment import pay
from specie.tokens.building import PaymentOrder
from specie.tokens.holdings import Memo
from specie.values.amounts import Minor
from specie.values.identifiers import EntryId, OrderId
from specie.wallet.proving import build_payment_part

ISSUED = Minor(1_000_000)
PAID = Minor(742_19)


def make_receipts(old: Mapping[str, Any]) -> dict[str, Any]:
    """What exists is kept: signatures are hedged, so a second run would give other bytes."""
    if old:
        return dict(old)
    with tempfile.TemporaryDirectory() as folder:
        network = build_network(Settings(Path(folder)), SystemClock(), RandomIdentifiers())
        overseers = build_overseers(network)
        return _make(network, overseers)


def _make(network: InProcessNetwork, overseers: Overseers) -> dict[str, Any]:
    payer, payee = network.banks.values()
    draw = network.surroundings.identifiers.draw
    network.accounting.lend(EntryId(draw()), payer.number, ISSUED)
    issue(OrderId(draw()), ISSUED, payer, network.desk, network.accounting, network.notary)
    order = PaymentOrder(payee.vault_address, PAID, Memo(order_id=OrderId(b"o" * 16)))
    payment_id = draw()
    pay(payer.vault, [order], payment_id, payer, network, network.notary)
    built = payer.vault.prepare_payment([order], payment_id).built
    network.notary.publish(is_forced=True)
    overseers.cosign()
    part = build_payment_part(built, payee.vault_address)
    registration = overseers.registration
    size = registration.read_checkpoint().size
    return {
        "provenance": "docs/spec/07; made once by the code on a network of two banks, kept since.",
        "genesis": (network.public / "genesis").read_bytes().hex(),
        "participants": (network.public / "participants").read_bytes().hex(),
        "cosigners": (network.public / "cosigners").read_text().splitlines(),
        "log_size": size,
        "paid": PAID,
        "payment": registration.prove_payment(part),
        "payment_quantum_safe": registration.prove_payment(part, is_quantum_safe=True),
        "leaves": [registration.prove_leaf(position) for position in range(size)],
    }
