"""What a payer may show later: one of its payments, and no more (X2, X6)."""

from specie.crypto.addresses import Address
from specie.ledger.outline import compute_slot_salt
from specie.ledger.receipts import PaymentPart
from specie.tokens.building import BuiltTransaction
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError


def find_creditor(built: BuiltTransaction, own: Address) -> Address:
    """Who was paid: the first that is not ourselves, else ourselves."""
    paid = [Address(one.bank, one.view, one.spend) for one in built.disclosure.openings]
    return next((one for one in paid if one != own), own)


def build_payment_part(built: BuiltTransaction, creditor: Address) -> PaymentPart:
    """The first output to `creditor`; nothing of the inputs, the change or the payer."""
    body = built.signed.body
    for index, opening in enumerate(built.disclosure.openings):
        if (opening.bank, opening.view, opening.spend) == (
            creditor.bank,
            creditor.view,
            creditor.spend,
        ):
            salt = compute_slot_salt(body.offset, index)
            return PaymentPart(body.outline, index, salt, opening)
    raise SpecieError(ErrorCode.PAYMENT_UNKNOWN, "this payment did not pay that address")
