"""Commands of operations: `serve` for production, `develop` behind `make run`, `upgrade`."""

import logging
import shlex
import signal
import socket
import sys
from types import FrameType
from typing import NoReturn

import click
from flask import Flask, current_app
from werkzeug.serving import make_server

from blog import config
from blog.config import settings
from blog.db import db, writing
from blog.demo import filling
from blog.jobs.worker import start_worker
from blog.operations import checking, serving
from blog.operations.upgrading import current_revision

HOST = "127.0.0.1"
# Connections that wait while all threads of the development server are being made.
WAITING = 128
PORT = click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on; else the setting PORT, else 8000.")


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(serve)
    app.cli.add_command(develop)
    app.cli.add_command(upgrade)


@click.command()
@PORT
def serve(port: int | None) -> None:
    """Check settings and database, bring the schema up to date, then become the production server."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        checking.production()
        checking.ground()
        if settings().demo_password:
            with writing():
                filling.keep_password()
        db.engine.dispose()
        chosen = config.hand_on_port(settings(), port)
        if not chosen.base_url:
            click.echo(f"PARLEY_BASE_URL is not set: links in mails and feeds lead to {chosen.public_url}", err=True)
        with checking.one_refusal():
            serving.become_server(host=chosen.bind, port=chosen.port, workers=chosen.web_concurrency, threads=chosen.threads, beside="blog.jobs.worker:work")
    except checking.CannotStart as refusal:
        _refuse(refusal.sentence)


@click.command()
@PORT
@click.option("--demo/--no-demo", default=True, help="Whether an empty board is filled with the demo content.")
def develop(port: int | None, demo: bool) -> None:
    """Start the development server on this machine alone, with a board one can look at."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        _develop(port, demo)
    except checking.CannotStart as refusal:
        _refuse(refusal.sentence)
    except KeyboardInterrupt:
        pass


def _develop(port: int | None, demo: bool) -> None:
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    if settings().is_production:
        raise checking.CannotStart("develop is for PARLEY_ENV=development; in production start with: flask --app app serve")
    chosen = config.hand_on_port(settings(), port)
    app.config["PARLEY"] = chosen
    if chosen.log_level != "debug":  # a line per request would push the five that matter off the screen
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
    with _bound(chosen.port) as place:
        checking.ground()
        if demo:
            filling.fill()
        with checking.one_refusal(), writing():
            filling.keep_password()
            names = filling.accounts()
        worker = start_worker(app)
        place.listen(WAITING)
        server = make_server(HOST, chosen.port, app, threaded=True, fd=place.fileno())
        click.echo(_opening(chosen, names))
        server.serve_forever()  # until KeyboardInterrupt, which it keeps to itself
        worker.end()
        db.engine.dispose()  # so that SQLite folds its journal into the file


def _bound(port: int) -> socket.socket:
    """The port, taken but not yet open: who asks now is turned away, and nobody else can take it while the board is filled."""
    place = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((HOST, port))
    except OSError as error:
        place.close()
        raise checking.CannotStart(f"Can’t listen on {HOST}:{port} ({error.strerror}); set PORT to another number: make run PORT=8123") from None
    return place


def _opening(chosen: config.Settings, names: list[str]) -> str:
    """The five lines of the console."""
    if names:
        accounts = f"Demo accounts: {', '.join(names)}; password of each: {filling.password()}"
    else:
        accounts = f"No demo accounts; an administrator is made by: {_shell(chosen)}.venv/bin/flask --app app members create NAME EMAIL --role administrator"
    other = "an empty board with: make run DEMO=0" if names else "one with demo content with: make run"
    return (
        f"Parley answers at http://{HOST}:{chosen.port}/\n"
        f"{accounts}\n"
        f"The data lies in {chosen.instance}\n"
        "Stop with Ctrl-C; the next start finds everything as it was\n"
        f"Start {other} INSTANCE=some/other/folder"
    )


def _shell(chosen: config.Settings) -> str:
    """What has to stand before a command in the shell so that it means this board."""
    words = {"PARLEY_INSTANCE": chosen.instance, "PORT": str(chosen.port)}
    usual = {"PARLEY_INSTANCE": str(config.ROOT / "instance"), "PORT": "8000"}
    return "".join(f"{name}={shlex.quote(value)} " for name, value in words.items() if value != usual[name])


@click.command()
def upgrade() -> None:
    """Bring the database to the schema of this release, and say which that is."""
    try:
        checking.ground()
    except checking.CannotStart as refusal:
        _refuse(refusal.sentence)
    click.echo(f"The database has schema {current_revision()}.")


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    # A terminal, make and whoever watches may all send one: the first is enough, the others would break off the tidying up.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _refuse(sentence: str) -> NoReturn:
    click.echo(f"Parley can’t start: {sentence}", err=True)
    sys.exit(1)
