"""The signed lists for everybody; certificates' state by CRL (RFC 5280) and OCSP (RFC 6960)."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from specie.api.bodies import read_body
from specie.api.pages import NEWEST, OLD, REVOKED, STATUS, VERSIONS, Served, refuse
from specie.assembly.bank_process import BankProcess
from specie.assembly.centre import HISTORY
from specie.assembly.desk_process import DeskProcess
from specie.assembly.lists import PUBLISHED, REVOCATIONS, TIME, describe_versions, read_list
from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError

_OCSP_BYTES_MAX: Final = 4_096
_DIGITS_MAX: Final = 9


def build_list_pages(process: DeskProcess) -> Sequence[Served]:
    """Read from the files, so that what is handed out is what is kept."""
    folder, centre = process.base.folder, process.centre

    def describe() -> Mapping[str, int]:
        versions = describe_versions(process.base.peers, centre.get_cosigners().version)
        return {**versions, TIME: process.base.clock.now()}

    def show_old(request: Request) -> Response:
        version = str(request.path_params["version"])
        is_number = version.isascii() and version.isdigit() and len(version) <= _DIGITS_MAX
        return _hand_out(folder / HISTORY, version if is_number else "", OLD.kind)

    def show_revocations(_request: Request) -> Response:
        return _hand_out(folder, REVOCATIONS, REVOKED.kind)

    async def answer_status(request: Request) -> Response:
        try:
            body = await read_body(request, _OCSP_BYTES_MAX)
        except SpecieError as error:
            return refuse(error)
        answer = await anyio.to_thread.run_sync(centre.answer_status, body)
        return Response(answer, media_type=STATUS.kind)

    return (
        *_build_newest(folder, describe),
        (OLD, show_old),
        (REVOKED, show_revocations),
        (STATUS, answer_status),
    )


def build_mirror_pages(process: BankProcess) -> Sequence[Served]:
    """What a bank has of them, for its clients: so nobody else sees from where a device asks."""
    return _build_newest(process.base.folder, process.base.lists.describe)


def _build_newest(folder: Path, describe: Callable[[], Mapping[str, int]]) -> Sequence[Served]:
    def show_versions(_request: Request) -> Response:
        return JSONResponse(describe())

    def show_list(request: Request) -> Response:
        name = str(request.path_params["name"])
        return _hand_out(folder, name if name in PUBLISHED else "", NEWEST.kind)

    return ((VERSIONS, show_versions), (NEWEST, show_list))


def _hand_out(folder: Path, name: str, kind: str) -> Response:
    """`not_found` without a name, or if we have no such file."""
    try:
        data = read_list(folder, name)
    except SpecieError:
        return refuse(SpecieError(ErrorCode.NOT_FOUND, "there is no such list"))
    return Response(data, media_type=kind)
