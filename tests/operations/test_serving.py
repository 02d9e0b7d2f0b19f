"""The production server as a process of its own: what a reader gets while others misbehave, and how it stops.

Served is a small WSGI application written here, so that these tests say nothing about the board.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import pytest

from blog.operations.serving import CannotServe, become_server

ROOT = Path(__file__).resolve().parents[2]

APP = """
import json, os, time
from pathlib import Path

if Path("slow-import").exists():
    time.sleep(2)

def app(environ, start_response):
    path = environ["PATH_INFO"]
    status = "200 OK"
    if path == "/slow":
        time.sleep(2)
        body = b"slow but whole"
    elif path == "/raise":
        raise RuntimeError("the-inner-secret")
    elif path == "/exit":
        raise SystemExit(3)
    elif path == "/tell":
        taken = environ["wsgi.input"].read()
        seen = {key: value for key, value in environ.items() if isinstance(value, str) and key not in os.environ}
        body = json.dumps({"body": taken.decode("latin-1"), "pid": os.getpid(), "environ": seen}).encode()
    else:
        body = b"x" * 40_000
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    if path == "/afterwards":
        return Afterwards([body])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

class Afterwards(list):
    def close(self):
        while not Path("heard").exists():
            time.sleep(0.05)
        Path("closed").touch()
        raise RuntimeError("the-inner-secret")

def beside(served, stop):
    place = Path("beside")
    place.mkdir(exist_ok=True)
    (place / f"{os.getpid()}.began").write_text(str(served is app))
    stop.wait()
    (place / f"{os.getpid()}.ended").touch()
"""


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


def until(true: Callable[[], Any], seconds: float = 15.0) -> Any:
    """The first true answer of `true`; fails when it does not come. An OSError counts as not yet."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if answer := true():
                return answer
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError("did not come true in time")


class Server:
    """A started server and what a client says to it."""

    def __init__(self, folder: Path, **facts: Any) -> None:
        self.folder = folder
        self.port = free_port()
        (folder / "scratch.py").write_text(APP)
        facts = {"host": "127.0.0.1", "port": self.port, "workers": 1, "threads": 4, "app": "scratch:app", **facts}
        starter = f"from blog.operations.serving import become_server\nbecome_server(**{facts!r})\n"
        self.output = (folder / "output").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(starter)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that a failed test can end the workers too
        )
        until(lambda: self.get("/")[0] == 200)

    def get(self, path: str, method: str = "GET", timeout: float = 10.0) -> tuple[int, bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)) as client:
            client.request(method, path)
            answer = client.getresponse()
            return answer.status, answer.read()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def say(self, request: bytes, then_end: bool = False) -> bytes:
        """What comes back for raw bytes, until the server closes or says nothing for a second."""
        with self.connect() as line:
            line.sendall(request)
            if then_end:
                line.shutdown(socket.SHUT_WR)
            line.settimeout(1)
            heard = b""
            while True:
                try:
                    more = line.recv(65536)
                except OSError:
                    return heard
                if not more:
                    return heard
                heard += more

    def tell(self, request: bytes) -> dict[str, Any]:
        head, _, body = self.say(request).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        told: dict[str, Any] = json.loads(body)
        return told

    def workers(self, ended: bool = False) -> set[int]:
        """Process ids of the workers that began (or ended) so far; only with `beside`."""
        return {int(path.stem) for path in (self.folder / "beside").glob("*.ended" if ended else "*.began")}

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=20)

    def printed(self) -> str:
        return (self.folder / "output").read_text()

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=10)
        self.output.close()


Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers and ends them when the test does."""
    with ExitStack() as stack:

        def start(**facts: Any) -> Server:
            server = Server(tmp_path, **facts)
            stack.callback(server.end)
            return server

        yield start


def answers(server: Server) -> bool:
    """Whether somebody new gets a page."""
    try:
        return server.get("/", timeout=1)[0] == 200
    except OSError:
        return False


def in_flight(server: Server) -> tuple[threading.Thread, list[tuple[int, bytes]]]:
    """A slow request that has reached the application when this returns."""
    heard: list[tuple[int, bytes]] = []
    thread = threading.Thread(target=lambda: heard.append(server.get("/slow")))
    thread.start()
    time.sleep(0.5)
    return thread, heard


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_what_is_in_flight_and_takes_nothing_new(serve: Serve, number: int) -> None:
    server = serve()
    thread, heard = in_flight(server)
    server.process.send_signal(number)
    until(lambda: not answers(server), 1.0)
    assert server.process.poll() is None, "it ended before the slow answer"
    assert server.process.wait(timeout=20) == 0
    thread.join()
    assert heard == [(200, b"slow but whole")]


HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: a.example\r\nX-Hal"
HALF_A_BODY = b"POST /tell HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000\r\n\r\n0123456789"


@pytest.mark.parametrize("half", [HALF_A_HEAD, HALF_A_BODY], ids=["head", "body"])
def test_half_sent_requests_do_not_stop_a_reader(serve: Serve, half: bytes) -> None:
    server = serve(threads=2)
    with ExitStack() as lines:
        for _ in range(60):
            lines.enter_context(server.connect()).sendall(half)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            assert server.get("/", timeout=5)[0] == 200
            time.sleep(0.25)


def test_a_stop_waits_neither_for_the_half_sent_nor_for_kept_connections(serve: Serve) -> None:
    server = serve(beside="scratch:beside")
    with ExitStack() as lines:
        for said in [HALF_A_HEAD, HALF_A_BODY, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"]:
            for _ in range(10):
                lines.enter_context(server.connect()).sendall(said)
        time.sleep(0.5)
        assert server.stop() == 0
    # An orderly end, not a kill after the last deadline: the work beside the requests was told.
    assert len(server.workers(ended=True)) == 1


def test_a_body_that_stalls_is_ended_with_a_sentence(serve: Serve) -> None:
    server = serve()
    with server.connect() as line:
        line.sendall(HALF_A_BODY)
        line.settimeout(30)
        assert b" 408 " in line.recv(65536).splitlines()[0]


def test_a_taken_port_is_refused_in_one_sentence() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CannotServe) as refusal:
            become_server(host="127.0.0.1", port=port, workers=1, threads=1)
    assert refusal.value.sentence.startswith(f"Port {port} is taken")


def test_a_second_server_does_not_slip_in_beside_the_first(serve: Serve) -> None:
    # The workers of one server share its port, which must not let a stranger share it too.
    first = serve(workers=2)
    with pytest.raises(CannotServe):
        become_server(host="127.0.0.1", port=first.port, workers=1, threads=1)


def test_an_address_of_another_machine_is_refused_in_one_sentence() -> None:
    with pytest.raises(CannotServe) as refusal:
        become_server(host="192.0.2.1", port=free_port(), workers=1, threads=1)
    assert "192.0.2.1" in refusal.value.sentence
    assert "PARLEY_BIND" in refusal.value.sentence


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_worker_comes_back(serve: Serve, workers: int) -> None:
    server = serve(workers=workers, beside="scratch:beside")
    until(lambda: len(server.workers()) == workers)
    os.kill(server.workers().pop(), signal.SIGKILL)
    until(lambda: len(server.workers()) == workers + 1)
    until(lambda: server.get("/", timeout=2)[0] == 200)
    assert server.stop() == 0
    assert len(server.workers(ended=True)) == workers


def test_workers_do_not_outlive_a_killed_parent(serve: Serve) -> None:
    server = serve(workers=2, beside="scratch:beside")
    until(lambda: len(server.workers()) == 2)
    server.process.kill()
    server.process.wait(timeout=10)
    until(lambda: len(server.workers(ended=True)) == 2)
    until(lambda: not answers(server))


def test_a_worker_that_is_born_an_orphan_ends_too(serve: Serve) -> None:
    server = serve(beside="scratch:beside")
    until(lambda: len(server.workers()) == 1)
    (server.folder / "slow-import").touch()
    os.kill(server.workers().pop(), signal.SIGKILL)
    time.sleep(1)  # its successor imports the application now
    server.process.kill()
    server.process.wait(timeout=10)
    until(lambda: len(server.workers()) == 2)
    until(lambda: len(server.workers(ended=True)) == 1)


def test_the_work_beside_begins_in_each_worker_and_ends_with_it(serve: Serve) -> None:
    server = serve(workers=2, beside="scratch:beside")
    until(lambda: len(server.workers()) == 2)
    assert {path.read_text() for path in (server.folder / "beside").glob("*.began")} == {"True"}
    assert not server.workers(ended=True)
    assert server.stop() == 0
    assert server.workers(ended=True) == server.workers()


def test_a_broken_application_costs_its_own_request_only(serve: Serve) -> None:
    server = serve(threads=1)
    for path in ["/raise", "/exit", "/raise"]:
        status, body = server.get(path)
        assert status == 500
        assert b"secret" not in body
        assert b"Traceback" not in body
    assert server.get("/")[0] == 200


MALFORMED = {
    "no request line": b"NONSENSE\r\n\r\n",
    "binary": bytes(range(256)) + b"\r\n\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\nHost: a.example\r\nX: a\0b\r\n\r\n",
    "two lengths": b"POST /tell HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nhello",
    "negative length": b"POST /tell HTTP/1.1\r\nHost: a.example\r\nContent-Length: -3\r\n\r\nhello",
    "broken chunk": b"POST /tell HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n",
    "no path": b"OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "oversized header": b"GET / HTTP/1.1\r\nHost: a.example\r\nX: " + b"a" * 600_000 + b"\r\n\r\n",
    "too many headers": b"GET / HTTP/1.1\r\nHost: a.example\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(500)) + b"\r\n",
}


def test_what_an_application_does_after_its_answer_keeps_nobody_waiting(serve: Serve) -> None:
    server = serve(threads=1)
    status, body = server.get("/afterwards")
    assert (status, len(body)) == (200, 40_000)
    assert not (server.folder / "closed").exists()
    (server.folder / "heard").touch()
    until(lambda: (server.folder / "closed").exists())
    assert server.get("/")[0] == 200, "the thread lives on after a close that broke"


def test_malformed_requests_get_a_4xx_and_nothing_breaks(serve: Serve) -> None:
    server = serve(threads=1)
    for name, request in MALFORMED.items():
        try:
            heard = server.say(request)
        except ConnectionError:  # refused while it was still being sent
            heard = b"HTTP/1.1 4"
        assert heard.startswith(b"HTTP/1.1 4"), name
        assert b"Traceback" not in heard
    assert server.get("/")[0] == 200


@pytest.mark.parametrize(
    "begun",
    [
        b"POST /tell HTTP/1.1\r\nHost: a.example\r\nContent-Length: 500\r\n\r\nhalf",
        b"POST /tell HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ],
    ids=["length", "chunks"],
)
def test_a_body_cut_short_never_reaches_the_application(serve: Serve, begun: bytes) -> None:
    server = serve()
    assert b"200 OK" not in server.say(begun, then_end=True)


def test_a_chunked_body_arrives_whole(serve: Serve) -> None:
    request = b"POST /tell HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    told = serve().tell(request)
    assert told["body"] == "hello world"
    assert told["environ"]["CONTENT_LENGTH"] == "11"


@pytest.mark.parametrize("chunked", [False, True])
def test_who_sends_all_before_reading_gets_the_answer_too(serve: Serve, chunked: bool) -> None:
    server = serve(body_limit=1000)
    block = b"x" * 65536
    with server.connect() as line:
        line.settimeout(20)
        if chunked:
            line.sendall(b"POST /tell HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(160):
                line.sendall(b"%x\r\n%s\r\n" % (len(block), block))
            line.sendall(b"0\r\n\r\n")
        else:
            line.sendall(b"POST /tell HTTP/1.1\r\nHost: a.example\r\nContent-Length: %d\r\n\r\n" % (160 * len(block)))
            for _ in range(160):
                line.sendall(block)
        assert line.recv(65536).startswith(b"HTTP/1.1 413")
    assert server.get("/")[0] == 200


def test_a_body_over_the_limit_is_not_kept_and_the_application_is_told_its_length(serve: Serve) -> None:
    server = serve(body_limit=1000)
    # This application reads the body; Flask looks at the length before it does, with the same answer.
    head = b"POST /tell HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10000000\r\n"
    assert server.say(head + b"Expect: 100-continue\r\n\r\n").startswith(b"HTTP/1.1 413")
    assert server.say(b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1001\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert server.get("/")[0] == 200


def test_expect_100_continue_is_answered(serve: Serve) -> None:
    server = serve()
    with server.connect() as line:
        line.sendall(b"POST /tell HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert line.recv(65536).startswith(b"HTTP/1.1 100")
        line.sendall(b"hello")
        assert line.recv(65536).startswith(b"HTTP/1.1 200")


def test_head_has_the_length_and_no_body(serve: Serve) -> None:
    heard = serve().say(b"HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n")
    assert b"content-length: 40000" in heard.lower()
    assert heard.endswith(b"\r\n\r\n")


def test_what_the_application_is_told(serve: Serve) -> None:
    told = serve().tell(
        b"GET /tell?q=%C3%A9 HTTP/1.1\r\nHost: a.example:99\r\nCookie: a=1\r\nCookie: b=2\r\n"
        b"X-Forwarded-For: 203.0.113.1\r\nX_Forwarded_For: 203.0.113.66\r\nConnection: close\r\n\r\n"
    )["environ"]
    assert told["REQUEST_METHOD"] == "GET"
    assert told["PATH_INFO"] == "/tell"
    assert told["QUERY_STRING"] == "q=%C3%A9"
    assert told["HTTP_HOST"] == "a.example:99"
    assert told["HTTP_COOKIE"] == "a=1; b=2"
    assert told["REMOTE_ADDR"] == "127.0.0.1"
    assert told["HTTP_X_FORWARDED_FOR"] == "203.0.113.1", "an underscore must not pass for a hyphen"


def test_the_log_is_silent_unless_asked_and_never_holds_the_query(serve: Serve) -> None:
    quiet = serve()
    quiet.get("/tell?secret-query")
    assert quiet.stop() == 0
    assert quiet.printed() == ""

    talking = serve(access_log=True)
    talking.get("/tell?secret-query")
    assert talking.stop() == 0
    assert " 127.0.0.1 GET /tell 200 " in talking.printed()
    assert "secret" not in talking.printed()
