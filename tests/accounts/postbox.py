"""What tests of accounts share: settings changed for a while, the mails that went out, members made as people make themselves."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from flask import Flask

from blog.jobs.worker import run_once
from blog.mail import carrying
from blog.mail.carrying import Carried
from tests.conftest import Board, Visitor

PASSWORD = "seven quiet herons"


@contextmanager
def having(app: Flask, **changes: Any) -> Iterator[None]:
    """The board with other settings, its counters at nought."""
    before = app.config["PARLEY"]
    app.config["PARLEY"] = replace(before, **changes)
    app.extensions["parley_limits"].storage.reset()
    try:
        yield
    finally:
        app.config["PARLEY"] = before


@dataclass
class Postbox:
    """The mails of a board that go into its instance folder."""

    app: Flask

    def empty(self) -> None:
        with self.app.app_context():
            shutil.rmtree(carrying.folder(), ignore_errors=True)

    def mails(self) -> list[Carried]:
        """Let the worker do what is due; all mails, newest first."""
        while run_once(self.app):
            pass
        with self.app.app_context():
            return carrying.carried()

    def to(self, address: str) -> Carried:
        """The newest mail to that address."""
        return next(mail for mail in self.mails() if mail.to == address)

    def link(self, address: str) -> str:
        """The path that the newest mail to that address leads to."""
        return path_in(self.to(address))


def path_in(mail: Carried) -> str:
    found = re.findall(r"https?://[^/\s]+(/\S*)", mail.text)
    assert len(found) == 1, mail.text
    return found[0]


def join(board: Board, username: str, email: str = "", visitor: Visitor | None = None, **fields: Any) -> Visitor:
    """A browser in which somebody has just registered."""
    visitor = visitor or board.cy
    answer = visitor.post("/register", {"username": username, "email": email or f"{username}@example.net", "password": PASSWORD, **fields})
    assert answer.status_code == 303, answer.text
    return visitor


def sign_in(board: Board, username: str, password: str = PASSWORD, visitor: Visitor | None = None) -> Visitor:
    """A browser in which that member signs in."""
    visitor = visitor or board.cy
    answer = visitor.post("/login", {"username": username, "password": password})
    assert answer.status_code == 303, answer.text
    return visitor


def name_in(visitor: Visitor) -> str:
    """Whom the pages of this browser are for, "" for a stranger."""
    page = visitor.client.get("/settings/profile")
    found = re.search(r"Your username, ([^,]+), stays", page.text)
    return found.group(1) if found else ""


def cookie(visitor: Visitor) -> dict[str, Any]:
    """What the cookie of this browser holds."""
    with visitor.client.session_transaction() as held:
        return dict(held)
