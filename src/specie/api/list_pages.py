"""The signed lists for everybody; certificates' state by CRL (RFC 5280) and OCSP (RFC 6960)."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from specie.api.bodies import read_body
from specie.assembly.bank_process import BankProcess
from specie.assembly.centre import HISTORY
from specie.assembly.desk_process import DeskProcess
from specie.assembly.lists import PUBLISHED, REVOCATIONS, TIME, describe_versions, read_list
from specie.remote.encoding import get_status
from specie.values.errors import SpecieError

_OCSP: Final = "application/ocsp-response"
_OCSP_BYTES_MAX: Final = 4_096


def build_list_pages(process: DeskProcess) -> Sequence[BaseRoute]:
    """Read from the files, so that what is handed out is what is kept."""
    folder, centre = process.base.folder, process.centre

    def describe() -> Mapping[str, int]:
        versions = describe_versions(process.base.peers, centre.get_cosigners().version)
        return {**versions, TIME: process.base.clock.now()}

    def show_old(request: Request) -> Response:
        version = request.path_params["version"]
        try:
            data = read_list(folder / HISTORY, str(version))
        except SpecieError:
            return Response("no such version\n", 404, media_type="text/plain")
        return Response(data, media_type="application/octet-stream")

    def show_revocations(_request: Request) -> Response:
        return Response(read_list(folder, REVOCATIONS), media_type="application/pkix-crl")

    async def answer_status(request: Request) -> Response:
        try:
            body = await read_body(request, _OCSP_BYTES_MAX)
        except SpecieError as error:
            return Response(f"{error}\n", get_status(error.code), media_type="text/plain")
        answer = await anyio.to_thread.run_sync(centre.answer_status, body)
        return Response(answer, media_type=_OCSP)

    return (
        *_build_newest(folder, describe),
        Route("/lists/participants/{version:int}", show_old),
        Route("/crl", show_revocations),
        Route("/ocsp", answer_status, methods=["POST"]),
    )


def build_mirror_pages(process: BankProcess) -> Sequence[BaseRoute]:
    """What a bank has of them, for its clients: so nobody else sees from where a device asks."""
    return _build_newest(process.base.folder, process.base.lists.describe)


def _build_newest(folder: Path, describe: Callable[[], Mapping[str, int]]) -> Sequence[BaseRoute]:
    def show_versions(_request: Request) -> Response:
        return JSONResponse(describe())

    def show_list(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in PUBLISHED:
            return Response("no such list\n", 404, media_type="text/plain")
        return Response(read_list(folder, name), media_type="application/octet-stream")

    return (Route("/lists", show_versions), Route("/lists/{name}", show_list))
