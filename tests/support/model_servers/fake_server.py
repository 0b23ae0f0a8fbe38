"""An HTTP server in a thread that records what it is asked and sends what it is told, as slowly and brokenly as it is told to."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from typing_extensions import Self

_POLL_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request. Names of headers are in lower case; `body` is what its JSON held, None without one."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A reply.

    Attributes:
        status: HTTP status.
        pieces: Of the body, sent one by one.
        content_type: Of the body.
        headers: Further ones.
        pause_s: Before each piece.
        is_cut: The connection breaks after the last piece, as if the body were to go on.
    """

    status: int = 200
    pieces: tuple[bytes, ...] = ()
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    pause_s: float = 0.0
    is_cut: bool = False


def send_json(value: Any, *, status: int = 200) -> Sent:
    """A reply of one JSON value."""
    return Sent(status=status, pieces=(json.dumps(value, ensure_ascii=False).encode(),))


class FakeServer:
    """A server on a free port of the loopback interface, from `with` to its end.

    Attributes:
        requests: Those that came, in order.
        was_left: Set once a client has closed the connection before its reply was whole.
    """

    def __init__(self, answer: Callable[[Received], Sent]) -> None:
        self.requests: list[Received] = []
        self.was_left = threading.Event()
        self._answer = answer
        self._ending = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), name="fake model server", daemon=True)

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def asked(self, path_end: str) -> list[Received]:
        """The requests to paths with this end."""
        return [request for request in self.requests if request.path.endswith(path_end)]

    def _take(self, request: Received) -> Sent:
        self.requests.append(request)
        return self._answer(request)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    fake: FakeServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has gone is no news; the tests ask `was_left`."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    # A client that waits for the rest of a request would keep the thread.
    timeout = 30

    def do_GET(self) -> None:
        self._reply()

    def do_POST(self) -> None:
        self._reply()

    def log_message(self, *_: object) -> None:
        """Nothing: standard error belongs to pytest."""

    def _reply(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        data = self.rfile.read(length)
        request = Received(
            method=self.command,
            path=parts.path,
            query={name: values[0] for name, values in parse_qs(parts.query).items()},
            headers={name.lower(): value for name, value in self.headers.items()},
            body=json.loads(data) if data else None,
        )
        sent = self.server.fake._take(request)
        try:
            self._send(sent)
        except (TimeoutError, ConnectionError):
            self.server.fake.was_left.set()
            self.close_connection = True

    def _send(self, sent: Sent) -> None:
        self.send_response(sent.status)
        self.send_header("content-type", sent.content_type)
        for name, value in sent.headers.items():
            self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in sent.pieces:
            self._wait(sent.pause_s)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        if sent.is_cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _wait(self, seconds: float) -> None:
        """Wait, and notice when the client closes the connection or the server ends."""
        while seconds > 0 and not self.server.fake._ending.is_set():
            readable, _, _ = select.select([self.connection], [], [], min(seconds, _POLL_S))
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                raise ConnectionResetError
            if readable:
                self.server.fake._ending.wait(_POLL_S)
            seconds -= _POLL_S
