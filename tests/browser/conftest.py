"""A real browser: the board on a port of its own, headless Chromium with and without script, axe, and what every page must hold.

Chromium is found on the PATH (`make browser` installs it where it can). Without one these tests are skipped loudly; with CI=true that fails.
"""

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, has_app_context
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy import select
from werkzeug.serving import make_server

from blog.accounts import sessions
from blog.accounts.models import Member, Role
from blog.db import db
from blog.factory import HTMX
from tests import factories
from tests.conftest import close, empty, make_app

AXE = Path(__file__).parent / "vendor" / "axe.min.js"

# The file that pages would load instead, should htmx 4 have to go.
RETREAT = "vendor/htmx-2.0.11.min.js"


# The smoke set of the way back: these tests run with both files.
both_htmx = pytest.mark.parametrize("htmx", [HTMX, RETREAT], ids=["htmx4", "htmx2"], indirect=True)
each_way = pytest.mark.parametrize(
    ("script", "htmx"), [(True, HTMX), (True, RETREAT), (False, HTMX)], ids=["htmx4", "htmx2", "no script"], indirect=["htmx"],
)


def chromium() -> str | None:
    """The browser's path, None where there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("NO CHROMIUM: `make browser` installs it; in CI its tests must run.")
        pytest.skip("NO CHROMIUM FOUND: NOTHING WAS TESTED IN A BROWSER. `make browser` installs it.")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        launched = playwright.chromium.launch(executable_path=path, args=[*arguments, "--disable-background-networking", "--disable-component-update"])
        yield launched
        launched.close()


class Live:
    """The board as a browser meets it."""

    def __init__(self, app: Flask, address: str, browser: Browser) -> None:
        self.app, self.address, self.browser = app, address, browser
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self.expected: list[str] = []  # parts of console messages that a test provokes

    def visitor(self, username: str = "", role: Role = Role.MEMBER, *, script: bool = True, width: int = 1280, dark: bool = False, **options: Any) -> Page:
        """A fresh browser window; signed in as `username` if given (made at the first call)."""
        context = self.browser.new_context(
            base_url=self.address, java_script_enabled=script, viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light", reduced_motion="reduce", **options,
        )
        context.set_default_timeout(10_000)
        self.contexts.append(context)
        if username:
            context.add_cookies([{"name": "parley", "value": self._cookie(username, role), "url": self.address}])
        page = context.new_page()
        page.on("console", lambda message: self._note(f"{message.type}: {message.text}") if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self._note(f"page error: {error}"))
        page.on("request", lambda request: None if request.url.startswith((self.address, "data:")) else self._note(f"request to {request.url}"))
        return page

    def _note(self, message: str) -> None:
        if not any(part in message for part in self.expected):
            self.complaints.append(message)

    def member_id(self, username: str, role: Role = Role.MEMBER) -> int:
        with self._writing():
            found = db.session.execute(select(Member).where(Member.username == username)).scalar_one_or_none()
            found = found or factories.make_member(username, role=role)
            db.session.commit()
            return found.id

    def _cookie(self, username: str, role: Role) -> str:
        member_id = self.member_id(username, role)
        with self._writing():
            token = sessions.start(member_id, "test browser")
            db.session.commit()
        serializer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        return str(serializer.dumps({"_user_id": token, "_fresh": True, "_permanent": True}))

    def do(self, work: Callable[[], Any]) -> Any:
        """Run a deed or a reading against the same board, committed."""
        with self._writing():
            result = work()
            db.session.commit()
            return result

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction that may write from its first statement on: the board behind the browser writes too. Never one inside another,
        which would wait for the first until SQLite gives up."""
        assert not has_app_context(), "a transaction inside a transaction: look up members before"
        with self.app.app_context():
            db.session.connection(execution_options={"writing": True})
            yield


@pytest.fixture(scope="session")
def served(instance: Path) -> Iterator[tuple[Flask, str]]:
    """The board on a free port."""
    app = make_app(instance / "live")
    running = app.extensions["running"] = []

    def counted(environ: Any, start_response: Any) -> Any:
        running.append(environ)
        answer: Any = app(environ, start_response)
        try:
            # Whole, and closed here: werkzeug's server closes nothing once the browser has gone away, and a file would stay open.
            return [b"".join(answer)]
        finally:
            answer.close()
            running.remove(environ)

    server = make_server("127.0.0.1", 0, counted, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield app, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    close(app)


@pytest.fixture
def htmx(request: pytest.FixtureRequest) -> str:
    """Which htmx the pages load: the one that they always do, or by `both_htmx` and `each_way` the way back as well."""
    return str(getattr(request, "param", HTMX))


@pytest.fixture
def live(served: tuple[Flask, str], browser: Browser, htmx: str) -> Iterator[Live]:
    """An empty board; at the end no page may have complained (console, CSP, requests to other hosts)."""
    app, address = served
    app.jinja_env.globals["htmx_file"] = htmx
    empty(app)
    found = Live(app, address, browser)
    yield found
    for context in found.contexts:
        with contextlib.suppress(Exception):
            context.close()
    for _ in range(50):
        time.sleep(0.02)  # what a page sends when it is left would be written into the next test's board
        if not app.extensions["running"]:
            break
    assert found.complaints == []


def violations(page: Page) -> list[str]:
    """What axe finds on the page as it stands: rule, help and the elements."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    result = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", tags)
    return [f"{found['id']}: {found['help']}: {[node['target'] for node in found['nodes']][:3]}" for found in result["violations"]]


def sideways(page: Page) -> int:
    """By how many pixels the page scrolls sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
