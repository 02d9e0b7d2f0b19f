"""Between the HTTP server and the WSGI application: a request waits here, at no thread's cost, until all of it has come.

The server (granian) speaks RSGI to `Bridge`, in one event loop per worker process; the application runs in a few threads.
A thread is only given a request whose body is complete, so people who send half a form and stop hold a connection for a
while and nothing else. Answers are built whole before they are sent, so slow readers hold no thread either.
"""

import asyncio
import io
import logging
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Thread
from types import FrameType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from granian.rsgi import Scope
from werkzeug.exceptions import RequestEntityTooLarge

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol

log = logging.getLogger(__name__)

# Seconds. Nobody who sends a form pauses so long, and nobody needs so long for it.
PAUSE_IN_BODY = 10.0
WHOLE_BODY = 120.0
# Many programs send all before they read a word: a body over the limit is taken off the line and thrown away, up to so many bytes, so that they get
# to the answer. Somebody who was only asked (Expect: 100-continue) has sent nothing yet.
MOST_THROWN_AWAY = 64 * 1024 * 1024
PAUSE_THROWN_AWAY = 0.5
# Once the process is told to stop: what bodies still on their way may take, and what the thread beside the requests may.
BODY_AT_STOP = 2.0
BESIDE_AT_STOP = 3.0
# How often a worker looks whether its parent still lives.
PARENT_CHECK = 2.0

Beside = Callable[[Any, Event], None]
Close = Callable[[], object]


class Unreadable(Exception):
    """A request that never reaches the application. `status` and `sentence` are its answer."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class _TooLarge(io.RawIOBase):
    """Stands for a body that was not read because it is over the limit: reading it is 413, which Flask turns into the application's page."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        raise RequestEntityTooLarge


@dataclass(slots=True)
class _Request:
    scope: Scope
    proto: "HTTPProtocol"
    body: bytes | None  # None: over the limit, not read
    length: int
    answered: asyncio.Future[None]


class Bridge:
    """One worker process's bridge to `app`.

    `threads` run the application; `body_limit` is in bytes; `parent` is the process id without which the worker ends (it may
    have gone before the worker could ask). `beside`, if given, is called once per process in a thread of its
    own with the application and an event that is set when the last request is answered; it should return soon after that.
    `access_log` prints a line per request: time in UTC, client, method, path, status, milliseconds.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        threads: int,
        body_limit: int,
        parent: int,
        workers: int = 1,
        beside: Beside | None = None,
        access_log: bool = False,
    ) -> None:
        self.app = app
        self.body_limit = body_limit
        self.access_log = access_log
        self._parent = parent
        self._beside = beside
        self._waiting: SimpleQueue[_Request | None] = SimpleQueue()
        self._answered: deque[asyncio.Future[None]] = deque()
        self._threads = [Thread(target=self._work, name=f"request-{number}", daemon=True) for number in range(threads)]
        self._companion: Thread | None = None
        self._stop_beside = Event()
        self._unfinished: set[asyncio.Timeout] = set()
        self._stopping = False
        self._base: dict[str, Any] = {
            "SCRIPT_NAME": "",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",  # TLS ends at a proxy; the application's ProxyFix says https then
            "wsgi.errors": sys.stderr,
            "wsgi.input_terminated": True,
            "wsgi.multithread": threads > 1,
            "wsgi.multiprocess": workers > 1,
            "wsgi.run_once": False,
        }

    # The server calls these three by name, in the worker process: at its start, for each request, at its end.

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        for number in (signal.SIGTERM, signal.SIGINT):
            # The event loop hears of signals by its wake-up descriptor, so the server's own handling goes on beside this.
            signal.signal(number, self._on_signal)
            signal.siginterrupt(number, False)
        loop.call_soon(self._check_parent)
        for thread in self._threads:
            thread.start()
        if self._beside is not None:
            self._companion = Thread(target=self._run_beside, args=(self._beside,), name="beside", daemon=True)
            self._companion.start()

    async def __rsgi__(self, scope: Scope, proto: "HTTPProtocol") -> None:
        if scope.proto != "http":
            return
        # What the threads have answered is with the client already; only its task is still to end. Ending them here, with the
        # next request, saves waking the event loop once more for each (a sixth of what a small page costs).
        while self._answered:
            answered = self._answered.popleft()
            if not answered.done():  # the client left: its task was cancelled
                answered.set_result(None)
        try:
            if not scope.path.startswith("/"):
                raise Unreadable(400, "This is no address of a page.")
            body, length = await self._body(scope, proto) if _has_body(scope) else (b"", 0)
            request = _Request(scope, proto, body, length, self._loop.create_future())
            self._waiting.put(request)
            await request.answered
        except Unreadable as refusal:
            headers = [("content-type", "text/plain; charset=utf-8"), ("connection", "close")]
            proto.response_str(refusal.status, headers, refusal.sentence + "\n")

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._stop_beside.set()
        for _ in self._threads:
            self._waiting.put(None)
        if self._companion is not None:
            self._companion.join(BESIDE_AT_STOP)
            if self._companion.is_alive():
                log.warning("The work beside the requests did not stop within %.0f s; it is left as it is.", BESIDE_AT_STOP)

    # Reading

    async def _body(self, scope: Scope, proto: "HTTPProtocol") -> tuple[bytes | None, int]:
        """The whole body and its length; None for one over the limit, which is taken off the line and thrown away.

        Raises Unreadable for one that breaks off or stalls.
        """
        announced = scope.headers.get("content-length")
        expected = None if announced is None else int(announced)
        too_large = expected is not None and expected > self.body_limit
        if too_large and "expect" in scope.headers:
            return None, expected or 0
        parts: list[bytes] = []
        size = empty = 0
        start = self._loop.time()
        try:
            async with asyncio.timeout_at(start + (PAUSE_THROWN_AWAY if too_large else PAUSE_IN_BODY)) as patience:
                self._unfinished.add(patience)
                try:
                    async for part in proto:  # once: a second loop over it finds nothing
                        # The end of a body is one empty part; a connection that breaks off gives another before it.
                        empty += not part
                        size += len(part)
                        if too_large or size > self.body_limit:
                            too_large = True
                            parts.clear()
                            if size > MOST_THROWN_AWAY:
                                break
                        else:
                            parts.append(part)
                        if not self._stopping:
                            pause = PAUSE_THROWN_AWAY if too_large else PAUSE_IN_BODY
                            patience.reschedule(min(self._loop.time() + pause, start + WHOLE_BODY))
                finally:
                    self._unfinished.discard(patience)
        except TimeoutError:
            if too_large:
                return None, max(size, expected or 0)
            if self._stopping:
                raise Unreadable(503, "The board is being restarted. Send it again in a moment.") from None
            raise Unreadable(408, "The rest of this request did not come in time.") from None
        if too_large:
            return None, max(size, expected or 0)
        if empty > 1 or (expected is not None and size != expected):
            raise Unreadable(400, "This request broke off before its end.")
        return b"".join(parts), size

    # Answering

    def _work(self) -> None:
        while (request := self._waiting.get()) is not None:
            began = time.perf_counter()
            environ: dict[str, Any] = {}
            status = 500
            close: Close | None = None
            try:
                environ = self._environ(request)
                status, headers, body, close = self._ask(environ)
                if request.body is None:
                    headers = [*headers, ("connection", "close")]  # what may still be on the line is no request
                request.proto.response_bytes(status, headers, body)
            except RequestEntityTooLarge:
                status = 413
                request.proto.response_str(413, [("content-type", "text/plain; charset=utf-8")], "This is larger than the board takes.\n")
            except BaseException:  # a SystemExit out of the application must not end this thread
                log.exception("The application did not answer a %s.", request.scope.method)
                request.proto.response_str(500, [("content-type", "text/plain; charset=utf-8")], "Something went wrong here.\n")
            if close is not None:
                try:
                    close()  # what the application does after the answer is done after the answer
                except BaseException:
                    log.exception("The application did not finish after a %s.", request.scope.method)
            self._answered.append(request.answered)
            if self.access_log:
                took = (time.perf_counter() - began) * 1000
                # After the call, because ProxyFix writes the client's own address into the same environ.
                line = f"{environ.get('REMOTE_ADDR', '-')} {request.scope.method} {quote(request.scope.path)} {status} {took:.1f}"
                print(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), line, flush=True)

    def _environ(self, request: _Request) -> dict[str, Any]:
        scope = request.scope
        server, _, port = scope.server.rpartition(":")
        environ = self._base | {
            "REQUEST_METHOD": scope.method,
            "PATH_INFO": _as_wsgi(scope.path),
            "QUERY_STRING": _as_wsgi(scope.query_string),
            "SERVER_NAME": server,
            "SERVER_PORT": port,
            "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
            "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
            "CONTENT_LENGTH": str(request.length),
            "wsgi.input": io.BytesIO(request.body) if request.body is not None else io.BufferedReader(_TooLarge()),
        }
        for name, value in scope.headers.items():
            if "_" in name:
                continue  # X_Forwarded_For would pass for X-Forwarded-For
            if name == "content-type":
                environ["CONTENT_TYPE"] = value
            elif name not in {"content-length", "transfer-encoding"}:
                key = "HTTP_" + name.upper().replace("-", "_")
                environ[key] = f"{environ[key]}{'; ' if name == 'cookie' else ','}{value}" if key in environ else value
        return environ

    def _ask(self, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes, Close | None]:
        """Status, headers, body, and what to call once they are sent."""
        begun: list[tuple[str, list[tuple[str, str]]]] = []
        written: list[bytes] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None, /) -> Callable[[bytes], object]:
            begun[:] = [(status, headers)]
            return written.append

        chunks: Iterable[bytes] = self.app(environ, start_response)
        close: Close | None = getattr(chunks, "close", None)
        try:
            written.extend(chunks)
            status, headers = begun[0]
        except BaseException:
            if close is not None:
                close()
            raise
        return int(status[:3]), headers, b"".join(written), close

    # Stopping

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._hurry)

    def _hurry(self) -> None:
        self._stopping = True
        for patience in self._unfinished:
            patience.reschedule(min(patience.when() or 0.0, self._loop.time() + BODY_AT_STOP))

    def _check_parent(self) -> None:
        """A worker whose parent was killed would hold the port for ever: it stops by itself."""
        if os.getppid() != self._parent:
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            self._loop.call_later(PARENT_CHECK, self._check_parent)

    def _run_beside(self, beside: Beside) -> None:
        try:
            beside(self.app, self._stop_beside)
        except Exception:
            log.exception("The work beside the requests ended with an error; the process goes on without it.")


def _has_body(scope: Scope) -> bool:
    return "content-length" in scope.headers or "transfer-encoding" in scope.headers


def _as_wsgi(text: str) -> str:
    """Text as WSGI wants it: one character for each byte of its UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("latin-1")
