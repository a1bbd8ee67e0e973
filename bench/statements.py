"""What the kernel's figures are measured on: payments, proofs, signatures, outputs."""

from typing import Final

from specie.crypto.outputs import NO_LABEL, NO_LOCK, Opening, Scanner, derive_output
from specie.crypto.proofs import Statement, build_balance_key, build_statement, prove_range
from specie.crypto.secrets import KeyTree, Mask, ScanKey, SigningKey
from specie.crypto.signatures import sign
from specie.values.amounts import Minor
from specie.values.identifiers import ParticipantNumber, PublicKey
from specie.values.times import Timestamp

MESSAGE: Final = b"\7" * 32
BANK: Final = ParticipantNumber(1)
_AMOUNTS: Final = [Minor(1_000), Minor(2_500)]
_CASH: Final = 1


def make_payment(banks: list[SigningKey], *, is_aggregated: bool) -> Statement:
    """2 inputs, 2 outputs, a kernel, 2 owners, 2 attestations, one or two range proofs."""
    out_masks, in_masks = ([Mask.generate(), Mask.generate()] for _ in range(2))
    kernel, offset = build_balance_key(out_masks, in_masks)
    keys = [kernel, SigningKey.generate(), SigningKey.generate(), *banks]
    groups = [slice(0, 2)] if is_aggregated else [slice(0, 1), slice(1, 2)]
    return build_statement(
        signatures=[(key.public, MESSAGE, sign(key, MESSAGE)) for key in keys],
        kernels=1,
        inputs=[mask.commit(amount) for mask, amount in zip(in_masks, _AMOUNTS, strict=True)],
        outputs=[mask.commit(amount) for mask, amount in zip(out_masks, _AMOUNTS, strict=True)],
        value=0,
        offset=offset,
        proofs=[
            (prove_range(_AMOUNTS[part], out_masks[part]), len(_AMOUNTS[part])) for part in groups
        ],
    )


def make_proof() -> Statement:
    """One output and its range proof."""
    mask, amount = Mask.generate(), _AMOUNTS[0]
    proofs = [(prove_range([amount], [mask]), 1)]
    return build_statement((), 0, (), [mask.commit(amount)], 0, None, proofs)


def make_signature() -> Statement:
    """One signature and nothing else."""
    key = SigningKey.generate()
    record = (key.public, MESSAGE, sign(key, MESSAGE))
    return build_statement([record], 0, (), (), 0, None, ())


def make_foreign_outputs(scan_key: ScanKey, count: int) -> list[bytes]:
    """Outputs of somebody else at the same bank."""
    tree = KeyTree.generate()
    view, spend = PublicKey(tree.view_key(0).public), PublicKey(tree.spend_key(0).public)
    return [
        derive_output(
            Opening(
                view=view,
                spend=spend,
                bank=BANK,
                anchor=number.to_bytes(16, "little"),
                amount=Minor(number),
                kind=_CASH,
                label=NO_LABEL,
                lock=NO_LOCK,
                expiry=Timestamp(0),
                memo=bytes(160),
            ),
            PublicKey(scan_key.public),
        ).data
        for number in range(count)
    ]


def make_scanner(scan_key: ScanKey, clients: int) -> Scanner:
    """A bank's scanner that watches this many clients."""
    scanner = Scanner(BANK, PublicKey(scan_key.public))
    tree = KeyTree.generate()
    for number in range(clients):
        scanner.add(tree.view_key(number), PublicKey(tree.spend_key(number).public))
    return scanner
