"""Options that say in which token new keys are drawn: of a module, or of SoftHSM2 beside them."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import parse_qsl, unquote

import typer

from specie.assembly.folders import read_passphrase
from specie.assembly.softhsm import SoftHsm
from specie.assembly.tokens import TokenPlace
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

Hsm = Annotated[
    bool, typer.Option("--hsm", help="New keys in a token of SoftHSM2, in hsm/ beside the folder.")
]
Token = Annotated[
    str | None, typer.Option(help="New keys in this empty token, a pkcs11: URI with a pin-source.")
]
_SCHEME: Final = "pkcs11:"
_FILE: Final = "file:"


def choose_token(
    beside: Path, name: str, uri: str | None, *, is_soft: bool
) -> Callable[[], TokenPlace | None]:
    """Gives a token when keys are to be drawn, None for the file; `setting_invalid`.

    Of SoftHSM2 it makes one, in a folder `beside`, with a label that no stopped attempt has left.
    """
    if uri is not None and is_soft:
        raise SpecieError(ErrorCode.SETTING_INVALID, "either --hsm or --token")
    if is_soft:
        label = f"{name}-{secrets.token_hex(4)}"
        return lambda: SoftHsm.open(beside).draw_tokens([label])[label]
    place = None if uri is None else parse_token(uri)
    return lambda: place


def parse_token(uri: str) -> TokenPlace:
    """RFC 7512: pkcs11:token=LABEL?module-path=LIBRARY&pin-source=file:PATH, the three of them."""
    path, _, query = uri.removeprefix(_SCHEME).partition("?")
    parts = dict(one.partition("=")[::2] for one in path.split(";"))
    asked = dict(parse_qsl(query))
    is_whole = set(parts) == {"token"} and set(asked) == {"module-path", "pin-source"}
    if not (uri.startswith(_SCHEME) and is_whole and asked["pin-source"].startswith(_FILE)):
        reason = "pkcs11:token=LABEL?module-path=LIBRARY&pin-source=file:PATH"
        raise SpecieError(ErrorCode.SETTING_INVALID, reason)
    source = Path(asked["pin-source"].removeprefix(_FILE))
    pin = read_passphrase(source.parent, source)
    return TokenPlace(Path(asked["module-path"]).absolute(), unquote(parts["token"]), pin)
