"""What can be asked of the directory, and of who publishes it. A number never stands in a path."""

from specie.remote import directory_models as directory
from specie.remote import models
from specie.remote.fields import Empty
from specie.remote.operations import (
    BANK_ALONE,
    CLIENT_CALLERS,
    DESK_CALLERS,
    OPERATOR_CALLERS,
    SERVICE_CALLERS,
    Operation,
)

LOCATE_OWN_PHONE = Operation(
    "locate_own_phone",
    "POST",
    "/v1/phones/locations",
    directory.OwnLocation,
    directory.LocatedMessage,
    CLIENT_CALLERS,
    "Where the client's own number stands in the directory.",
    since=2,
)
PUT_OWN_ENTRY = Operation(
    "put_own_entry",
    "POST",
    "/v1/phones/entries",
    directory.PutEntry,
    directory.PutAnswer,
    CLIENT_CALLERS,
    "The client's entry: its bank signs it and hands it to the directory.",
    since=2,
)
FIND_PHONE = Operation(
    "find_phone",
    "POST",
    "/v1/phones/look-ups",
    directory.PhoneQuery,
    directory.Found,
    CLIENT_CALLERS,
    "Whose a number is, if its owner wants to be found; so many an hour and a day.",
    since=2,
)
SET_CLIENT_PHONE = Operation(
    "set_client_phone",
    "POST",
    "/v1/clients/{client}/phone",
    directory.ClientPhone,
    Empty,
    OPERATOR_CALLERS,
    "A number is this client's, or no more: then the bank closes its entry.",
    since=2,
)
BANK_DIRECTORY = (LOCATE_OWN_PHONE, PUT_OWN_ENTRY, FIND_PHONE, SET_CLIENT_PHONE)

LOCATE_PHONE = Operation(
    "locate_phone",
    "POST",
    "/v1/directory/locations",
    directory.Location,
    directory.LocatedMessage,
    BANK_ALONE,
    "Where a number stands that the bank has confirmed as its client's.",
    since=2,
)
PUT_ENTRY = Operation(
    "put_entry",
    "POST",
    "/v1/directory/entries",
    directory.PutEntry,
    directory.PutAnswer,
    BANK_ALONE,
    "An entry, signed by its owner and by the bank; it goes into the log.",
    since=2,
)
LOOK_UP_PHONE = Operation(
    "look_up_phone",
    "POST",
    "/v1/directory/look-ups",
    directory.PhoneQuery,
    directory.Found,
    BANK_ALONE,
    "Whose a number is, for a client of the bank; so many an hour and a day.",
    since=2,
)
DESK_DIRECTORY = (LOCATE_PHONE, PUT_ENTRY, LOOK_UP_PHONE)

RECORD_LEAF = Operation(
    "record_leaf",
    "POST",
    "/v1/directory",
    directory.LeafMessage,
    directory.LeafPromiseMessage,
    DESK_CALLERS,
    "A leaf of the directory for the next batch; durable, and promised.",
    since=2,
)
NOTARY_DIRECTORY = (RECORD_LEAF,)

PROVE_ENTRY = Operation(
    "prove_entry",
    "GET",
    "/v1/directory/{leaf_hash}",
    directory.LeafQuery,
    models.NoteMessage,
    SERVICE_CALLERS,
    "A receipt of a leaf of the directory, by its hash.",
    since=2,
)
REGISTRATION_DIRECTORY = (PROVE_ENTRY,)
