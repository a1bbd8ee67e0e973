"""What is asked of the directory: by devices of their bank, by banks of the central bank."""

from typing import Annotated, Self

from pydantic import Field

from specie.crypto.vrf import VALUE_BYTES
from specie.directory.answers import LEAF_BYTES, RecordedEntry
from specie.directory.entries import SIGNED_BYTES, Authority, SignedEntry, unpack_signed_entry
from specie.ledger.directory_leaves import LeafPromise
from specie.log.leaves import DirectoryLeaf, unpack_leaf
from specie.log.tree import compute_leaf_hash
from specie.ports.directory import Located
from specie.remote.acting import Tracked
from specie.remote.fields import (
    ClientField,
    CountField,
    DigestField,
    Message,
    PhoneField,
    PointField,
    SignatureField,
    TimeField,
    sized_exactly,
)
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.values.limits import ANSWER_BYTES

EntryField = Annotated[bytes, *sized_exactly(SIGNED_BYTES, "a signed entry, page 09")]
LeafField = Annotated[bytes, *sized_exactly(LEAF_BYTES, "a leaf of the directory, page 05")]
ValueField = Annotated[bytes, *sized_exactly(VALUE_BYTES, "value of the directory's function")]
AnswerField = Annotated[bytes, *sized_exactly(ANSWER_BYTES, "an answer of page 09")]
_AUTHORITY = Field(ge=1, le=3, description="1 first, 2 the owner's key, 3 the bank's word")


class PhoneQuery(Message):
    """About one number; never more than one in a message."""

    phone: PhoneField


class OwnLocation(Message):
    """A device asks where its own number stands, for the key that has signed what stands there."""

    phone: PhoneField
    former: Annotated[PointField | None, Field(description="if that is another key than now")] = (
        None
    )


class Location(Message):
    """A bank asks where a number stands that it has confirmed, for the key of its client."""

    phone: PhoneField
    spend: PointField


class LocatedMessage(Message):
    """Index with its proof, newest version, and what the next one has to stand on."""

    key: PointField
    value: ValueField
    version: CountField
    is_open: Annotated[bool, Field(description="whether the number is somebody's")]
    authority: Annotated[int, _AUTHORITY]
    name: Annotated[str, Field(max_length=48, description="that the client may show")] = ""

    @classmethod
    def wrap(cls, one: Located, name: str = "") -> Self:
        """As it travels."""
        return cls(
            key=one.key,
            value=one.value,
            version=one.version,
            is_open=one.is_open,
            authority=int(one.authority),
            name=name,
        )

    def unwrap(self) -> Located:
        """Not verified yet."""
        authority = Authority(self.authority)
        return Located(self.key, self.value, self.version, self.is_open, authority)


class PutEntry(Message):
    """An entry for a number, page 09: signed by its owner, and to the directory by its bank."""

    phone: PhoneField
    entry: EntryField

    @classmethod
    def wrap_entry(cls, phone: PhoneField, signed: SignedEntry) -> Self:
        """As it travels."""
        return cls(phone=phone, entry=signed.pack())

    def unwrap(self) -> SignedEntry:
        """Not verified yet."""
        return unpack_signed_entry(self.entry)


class LeafMessage(Message):
    """A leaf of the directory for the log."""

    leaf: LeafField

    def unwrap(self) -> DirectoryLeaf:
        """Not verified yet."""
        return read_leaf(self.leaf)


class LeafQuery(Message):
    """A leaf by its hash."""

    leaf_hash: DigestField


class LeafPromiseMessage(Message):
    """The notary's word that a leaf is in the log by then."""

    leaf_hash: DigestField
    publish_by: TimeField
    signature: SignatureField

    @classmethod
    def wrap(cls, one: LeafPromise) -> Self:
        """As it travels."""
        return cls(leaf_hash=one.leaf_hash, publish_by=one.publish_by, signature=one.signature)

    def unwrap(self) -> LeafPromise:
        """Not verified yet."""
        return LeafPromise(self.leaf_hash, self.publish_by, self.signature)


class PutAnswer(Message):
    """The entry as it stands now, its leaf, and the notary's promise for it."""

    entry: EntryField
    leaf: LeafField
    publish_by: TimeField
    promise: SignatureField

    @classmethod
    def wrap(cls, one: RecordedEntry) -> Self:
        """As it travels."""
        return cls(
            entry=one.signed.pack(),
            leaf=one.leaf.pack(),
            publish_by=one.promise.publish_by,
            promise=one.promise.signature,
        )

    def unwrap(self) -> RecordedEntry:
        """Not verified yet."""
        promise = LeafPromise(compute_leaf_hash(self.leaf), self.publish_by, self.promise)
        return RecordedEntry(unpack_signed_entry(self.entry), read_leaf(self.leaf), promise)


class Found(Message):
    """An answer of page 09: of one size, whether anything was found or not."""

    answer: AnswerField


class ClientPhone(Tracked):
    """A client and its number; none: the number is the client's no more."""

    client: ClientField
    phone: PhoneField | None = None


def read_leaf(data: bytes) -> DirectoryLeaf:
    """`leaf_malformed` if it is of another kind."""
    leaf = unpack_leaf(data, 0)
    if not isinstance(leaf, DirectoryLeaf):
        raise SpecieError(ErrorCode.LEAF_MALFORMED, "not a leaf of the directory")
    return leaf
