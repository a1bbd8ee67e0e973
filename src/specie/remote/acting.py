"""Who of an institution's people asks, and why: part of what an operator's command says (T20)."""

from typing import Annotated, Final

from pydantic import Field

from specie.remote.fields import Message

NOBODY: Final = "operator"  # whoever may open the process' socket
NO_REASON: Final = "none given"

PersonField = Annotated[str, Field(max_length=100, description="who acts for the bank")]
ReasonField = Annotated[str, Field(max_length=500, description="why")]


class Acting(Message):
    """Who asks, and why; both are in the access log before anything is answered."""

    officer: PersonField
    reason: ReasonField


class Tracked(Message):
    """The same where it may be left out: then it says that nobody was named."""

    officer: PersonField = NOBODY
    reason: ReasonField = NO_REASON
