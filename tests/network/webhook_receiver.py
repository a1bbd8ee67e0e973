"""A client's own server, to which a bank sends events; on this machine."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Told:
    """An event as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Where it listens, and what it was told so far."""

    url: str = ""
    told: list[Told] = field(default_factory=list)


@contextmanager
def receiving(path: str = "/in") -> Iterator[Receiver]:
    """It takes everything."""
    receiver = Receiver()

    class Shop(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.told.append(Told(self.path, dict(self.headers.items()), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        receiver.url = f"http://127.0.0.1:{server.server_port}{path}"
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
