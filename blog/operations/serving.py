"""Becoming the production server. Which one, and why, is told in docs/decisions/0002-production-server.md."""

import argparse
import contextlib
import errno
import functools
import importlib
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels

from blog.operations.bridge import Bridge

ROOT = Path(__file__).resolve().parent.parent.parent

# Seconds for the header of a request to come, and for a kept connection to say something again. As half a header holds up
# a stop for as long, both together stay under the ten seconds that process managers usually grant.
HEADER_SECONDS = 5
STOP_SECONDS = 9
# Bytes of the first line and headers together.
HEADER_BYTES = 64 * 1024
# Connections that one worker holds, half-sent ones included; further ones wait with the kernel.
CONNECTIONS = 1000
# An answer may need several files (database, log, upload) beside its connection.
OPEN_FILES = 4096
BODY_LIMIT = 2 * 1024 * 1024


class CannotServe(Exception):
    """The server can't start. `sentence` names what stands in the way."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def become_server(
    *,
    host: str,
    port: int,
    workers: int,
    threads: int,
    app: str = "app:app",
    beside: str = "",
    body_limit: int = BODY_LIMIT,
    access_log: bool = False,
) -> NoReturn:
    """Replace this process by the server of `app` ("module:name" of a WSGI application), listening on `host` and `port`.

    The process id stays. A fresh interpreter begins, so nothing opened so far (database, threads) is carried over; `app` is
    imported in each of the `workers`, from the current folder or the project's. `beside` ("module:function") is called once
    per worker with the application and a threading.Event, in a thread of its own; the event is set when the worker stops.
    `body_limit` is the longest body, in bytes, that is read; over it the application sees the length alone and answers 413.
    `access_log` writes method and path of each request to the output: paths may hold one-time links, so it is off.

    SIGTERM and SIGINT: no new connections, what is in flight is answered, exit code 0, after STOP_SECONDS at the latest.
    Raises CannotServe if the address can't be had.
    """
    _check_address(host, port)
    given = {"host": host, "port": port, "workers": workers, "threads": threads, "app": app, "beside": beside, "body-limit": body_limit}
    arguments = [f"--{name}={value}" for name, value in given.items()] + ["--access-log"] * access_log
    # `-m` puts the current folder first on the path; the project itself may lie elsewhere.
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-m", __name__, *arguments], os.environ | {"PYTHONPATH": path})  # noqa: S606


def _check_address(host: str, port: int) -> None:
    # The server's workers share the port by SO_REUSEPORT, so a second server would get in beside the first without a word.
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind, protocol) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            attempt.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotServe(f"Port {port} is taken: something listens on {where} already. Stop that, or set PORT to another number.") from None
        raise CannotServe(f"Can't listen on {where} ({error.strerror}). Set PORT and PARLEY_BIND to an address of this machine.") from None


def _load(app: str, *, beside: str, **facts: Any) -> Bridge:
    """What each worker process serves. Called there, after it was forked or spawned."""
    return Bridge(_named(app), beside=_named(beside) if beside else None, **facts)


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def _allow_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main(arguments: list[str] | None = None) -> None:
    """The process that watches over the workers; it imports neither the application nor a database driver."""
    parser = argparse.ArgumentParser(prog="serving")
    for name in ("host", "app", "beside"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("port", "workers", "threads", "body-limit"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--access-log", action="store_true")
    given = parser.parse_args(arguments)

    # Until the server has its own handlers, a stop is an orderly one as well.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    _allow_open_files()
    server = Granian(
        given.app,
        address=given.host,
        port=given.port,
        interface=Interfaces.RSGI,
        workers=given.workers,
        loop=Loops.asyncio,
        backpressure=CONNECTIONS,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=HEADER_BYTES),
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
    )
    load: Any = functools.partial(
        _load,
        given.app,
        beside=given.beside,
        threads=given.threads,
        workers=given.workers,
        body_limit=given.body_limit,
        parent=os.getpid(),
        access_log=given.access_log,
    )
    try:
        _check_address(given.host, given.port)
        server.serve(target_loader=load, wrap_loader=False)
    except CannotServe as refusal:
        sys.exit(refusal.sentence)


if __name__ == "__main__":
    main()
