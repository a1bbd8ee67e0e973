"""Distinct types for things that are all bytes or integers, so that none is passed for another.

They are `NewType`s: free at run time; sizes are checked where bytes come in (`values/encoding.py`).
"""

from typing import Final, NewType

NetworkId = NewType("NetworkId", bytes)  # 16
TransactionId = NewType("TransactionId", bytes)  # 32, txid
OutputRef = NewType("OutputRef", bytes)  # 32
PublicKey = NewType("PublicKey", bytes)  # 32, ristretto (Schnorr)
InstitutionPublicKey = NewType("InstitutionPublicKey", bytes)  # 32, Ed25519
Signature = NewType("Signature", bytes)  # 64
Commitment = NewType("Commitment", bytes)  # 32
Scalar = NewType("Scalar", bytes)  # 32, public scalars only
Digest = NewType("Digest", bytes)  # 32
EntryId = NewType("EntryId", bytes)  # 16, an entry of the accounting
OrderId = NewType("OrderId", bytes)  # 16
ParticipantNumber = NewType("ParticipantNumber", int)  # u32, 1 and up
ClientId = NewType("ClientId", str)  # a bank's own name for its customer
ServiceName = NewType("ServiceName", str)  # an institution's process: notary, bank-2 …
AccountName = NewType("AccountName", str)  # an account of one institution's books
EndToEndId = NewType("EndToEndId", bytes)  # 16, of one movement at a core system (ISO 20022)
CoreAccount = NewType("CoreAccount", str)  # a client's account, as its bank's core system has it

ZERO16: Final = bytes(16)
ZERO32: Final = bytes(32)
ZERO64: Final = bytes(64)
