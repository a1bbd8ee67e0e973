"""Records with random bytes in them: stores keep what they are given and judge nothing."""

import random
from collections.abc import Sequence
from dataclasses import replace

from specie.crypto.addresses import Address
from specie.crypto.outputs import Opening
from specie.ledger.records import (
    Authorisation,
    Kernel,
    Kind,
    Output,
    RangeProof,
    ReserveReference,
    SupplySection,
    Terms,
)
from specie.ledger.transactions import (
    AttestedTransaction,
    Promise,
    SignedTransaction,
    TransactionBody,
)
from specie.ledger.wire import encode_attested
from specie.ports.notary import RecordedTransaction
from specie.tokens.building import BuiltTransaction
from specie.tokens.disclosures import Disclosure
from specie.tokens.holdings import Token
from specie.values.amounts import Minor
from specie.values.identifiers import (
    EntryId,
    NetworkId,
    OutputRef,
    ParticipantNumber,
    PublicKey,
    Scalar,
    Signature,
    TransactionId,
)
from specie.values.times import Timestamp

BANK = ParticipantNumber(2)
NETWORK = NetworkId(bytes(range(16)))


class Samples:
    """The same records for the same seed."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)

    def draw(self, size: int) -> bytes:
        """Random bytes."""
        return self._random.randbytes(size)

    def txid(self) -> TransactionId:
        """The id of nothing in particular."""
        return TransactionId(self.draw(32))

    def address(self) -> Address:
        """Keys that nobody has."""
        return Address(BANK, PublicKey(self.draw(32)), PublicKey(self.draw(32)))

    def token(self, amount: int = 5) -> Token:
        """An output with an opening."""
        opening = Opening(
            view=PublicKey(self.draw(32)),
            spend=PublicKey(self.draw(32)),
            bank=BANK,
            anchor=self.draw(16),
            amount=Minor(amount),
            kind=int(Kind.CASH),
            label=0,
            lock=bytes(32),
            expiry=Timestamp(0),
            memo=self.draw(160),
        )
        return Token(Output(self.draw(414)), opening)

    def signed(
        self, inputs: Sequence[OutputRef] = (), *, outputs: int = 2, supply_change: int = 0
    ) -> SignedTransaction:
        """A transaction of the right shape."""
        kind = Kind.CASH
        body = TransactionBody(
            network=NETWORK,
            kind=kind,
            supply_change=supply_change,
            not_before=Timestamp(1_000),
            not_after=Timestamp(2_000),
            offset=Scalar(self.draw(31) + b"\0"),  # canonical: below the order
            inputs=tuple(inputs),
            outputs=tuple(Output(self.draw(414)) for _ in range(outputs)),
            terms=tuple(Terms(self.draw(16), kind, BANK) for _ in range(outputs)),
            proofs=tuple(RangeProof(1, self.draw(577)) for _ in range(outputs)),
        )
        kernel = Kernel(PublicKey(self.draw(32)), Signature(self.draw(64)))
        owners = tuple(Signature(self.draw(64)) for _ in inputs)
        supply = SupplySection(0, 0, (), None) if supply_change else None
        return SignedTransaction(body, (kernel,), owners, supply)

    def built(self, supply_change: int = 0) -> BuiltTransaction:
        """The same with openings."""
        signed = self.signed((OutputRef(self.draw(32)),), supply_change=supply_change)
        openings = tuple(self.token().opening for _ in signed.body.outputs)
        return BuiltTransaction(signed, Disclosure(openings))

    def recorded(
        self, *inputs: OutputRef, time: int = 1_500, supply: SupplySection | None = None
    ) -> RecordedTransaction:
        """As the notary records it; with `supply` it is an issue of 10."""
        signed = self.signed(inputs, supply_change=10 if supply else 0)
        attested = AttestedTransaction(replace(signed, supply=supply), ())
        promise = Promise(signed.txid, Timestamp(time + 2_000), Signature(self.draw(64)))
        return RecordedTransaction(attested, encode_attested(attested), Timestamp(time), promise)

    def supply(self, serial: int, total: int, entry: EntryId) -> SupplySection:
        """An authorised issue."""
        signature = Signature(self.draw(64))
        reserve = ReserveReference(entry, BANK, 10, Timestamp(1_400), signature)
        return SupplySection(serial, total, (Authorisation(1, signature),), reserve)
