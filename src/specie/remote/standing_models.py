"""What a bank's operator is shown of its clients: one line each (T20)."""

from typing import Annotated

from pydantic import Field

from specie.remote.acting import Acting
from specie.remote.fields import ClientField, Message, TextField, TimeField
from specie.values.identifiers import ClientId
from specie.values.limits import PAGE_ITEMS_MAX


class ClientsQuery(Acting):
    """One client, or a page of them in the order of their ids."""

    client: Annotated[ClientField | None, Field(description="one alone")] = None
    after: Annotated[ClientField | None, Field(description="the page before's last")] = None
    limit: Annotated[int, Field(ge=1, le=PAGE_ITEMS_MAX, description="of a page")] = 100


class ClientShown(Message):
    """As the bank knows it now."""

    client: ClientField
    name: TextField
    standing: TextField
    tier: TextField
    phone: Annotated[str, Field(description="confirmed by the bank; empty: none")]
    account: Annotated[str, Field(description="at the core system; empty: none, or none there")]
    signatories: Annotated[str, Field(description="2 of 3; empty: it signs alone")]
    frozen_until: Annotated[TimeField | None, Field(description="by order")] = None


class ClientsShown(Message):
    """A page; there may be more if it is full."""

    clients: list[ClientShown]

    @property
    def last(self) -> ClientId:
        """Where the next page goes on."""
        return self.clients[-1].client
