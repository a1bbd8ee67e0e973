"""`specie verify-receipt FILE`: what a receipt proves, offline (X2)."""

from collections.abc import Sequence
from pathlib import Path

from specie.cli.trust import describe_network, load_trust
from specie.crypto.addresses import Address, format_address
from specie.crypto.outputs import compute_refs
from specie.identity.cosigners import Backing
from specie.ledger.receipts import PaymentPart, ReceiptTrust, VerifiedReceipt, verify_receipt
from specie.log.leaves import CreatedLeaf, KernelLeaf, SpentLeaf
from specie.store.durable_files import read_regular
from specie.tokens.holdings import unpack_memo
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.identifiers import NetworkId
from specie.values.limits import PROOF_BYTES_MAX


def verify_receipt_file(
    path: Path, public: Path, expected: NetworkId | None
) -> tuple[ReceiptTrust, VerifiedReceipt]:
    """Verify against genesis, participants and cosigners in `public`; the log is not needed."""
    trust = load_trust(public, expected)
    return trust, verify_receipt(_read_text(path), trust)


def describe_receipt(
    trust: ReceiptTrust,
    receipt: VerifiedReceipt,
    backing: Sequence[Backing],
    expected: NetworkId | None,
) -> dict[str, int | str]:
    """What it says and who says so, for people and for machines."""
    checkpoint = receipt.checkpoint
    found: dict[str, int | str] = {
        "network": trust.genesis.network.hex(),
        "which rests on": describe_network(expected),
        "leaf": type(receipt.leaf).__name__.removesuffix("Leaf").lower(),
        "position": receipt.index,
        "log size": checkpoint.checkpoint.size,
        "signed by": checkpoint.signers[0].name,
        **{one.role.plural: one.describe() for one in backing},
    }
    match receipt.leaf:
        case KernelLeaf():
            found["transaction"] = receipt.leaf.txid.hex()
        case CreatedLeaf():
            found["output"] = compute_refs([receipt.leaf.output])[0].hex()
        case SpentLeaf():
            found["output"] = receipt.leaf.ref.hex()
        case _:
            pass
    if receipt.payment is not None:
        found.update(_describe_payment(trust, receipt.payment))
    return found


def _describe_payment(trust: ReceiptTrust, payment: PaymentPart) -> dict[str, int | str]:
    opening = payment.opening
    address = Address(opening.bank, opening.view, opening.spend)
    memo = unpack_memo(opening.memo)
    return {
        "paid": trust.genesis.currency.format(opening.amount),
        "paid minor": opening.amount,
        "to": format_address(address, trust.genesis.address_prefix),
        "to bank": trust.participants.get(opening.bank).name,
        "payer wrote order id": memo.order_id.hex(),
        "payer wrote name": memo.name,
    }


def _read_text(path: Path) -> str:
    try:
        data = read_regular(path, PROOF_BYTES_MAX)
        if len(data) > PROOF_BYTES_MAX:
            raise SpecieError(ErrorCode.LIMIT_EXCEEDED, f"{path.name} is too long")
        return data.decode()
    except UnicodeDecodeError:
        raise SpecieError(ErrorCode.RECEIPT_INVALID, f"{path.name} is not text") from None
    except OSError as error:
        raise SpecieError(ErrorCode.RECEIPT_INVALID, f"{path.name}: {error.strerror}") from None
