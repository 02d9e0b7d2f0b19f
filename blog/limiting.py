"""Budgets: how often somebody may do something. Counted in Redis, or in a second SQLite file that need not survive."""

import logging
import math
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import IPv6Address, IPv6Network
from pathlib import Path
from typing import Any, cast

from flask import Flask, current_app, request
from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from blog.clock import now
from blog.config import Settings, settings
from blog.dates import clock_time
from blog.errors import TooFast, Unavailable

log = logging.getLogger(__name__)

FIVE_MINUTES = 300
HOUR = 3_600

# No name or address is longer; what somebody types instead of one need not fill the counters.
LONGEST_WHO = 320

# What each budget is for, how much, and the words that a person reads.
BUDGETS: dict[str, tuple[RateLimitItem, str]] = {
    "sign_in": (RateLimitItemPerSecond(20, FIVE_MINUTES), "From one place, 20 sign-ins in 5 minutes are possible"),
    "guess": (RateLimitItemPerSecond(20, FIVE_MINUTES), "From one place, 20 sign-ins to one account in 5 minutes are possible"),
    "guess_watched": (RateLimitItemPerSecond(3, FIVE_MINUTES), "Many wrong passwords came for this account, so each place has 3 sign-ins in 5 minutes"),
    "wrong": (RateLimitItemPerSecond(100, FIVE_MINUTES), "For one account, 100 wrong passwords in 5 minutes are possible"),
    "present": (RateLimitItemPerSecond(20, FIVE_MINUTES), "The present password can be tried 20 times in 5 minutes"),
    "register": (RateLimitItemPerSecond(40, FIVE_MINUTES), "From one place, 40 registrations in 5 minutes are possible"),
    "reset": (RateLimitItemPerSecond(20, FIVE_MINUTES), "From one place, 20 requests for a new password in 5 minutes are possible"),
    "mail": (RateLimitItemPerSecond(5, HOUR), "A member can ask for 5 mails an hour"),
    "mail_place": (RateLimitItemPerSecond(30, HOUR), "From one place, 30 mails an hour can be asked for"),
    "link": (RateLimitItemPerSecond(60, FIVE_MINUTES), "From one place, 60 mailed links in 5 minutes can be tried"),
    "waiting": (RateLimitItemPerSecond(40, FIVE_MINUTES), "From one place, 40 texts in 5 minutes can wait for a sign-in"),
    "comment": (RateLimitItemPerMinute(60), "A member can post 60 comments a minute"),
    "draft": (RateLimitItemPerMinute(120), "Drafts can be kept 120 times a minute"),
    "post": (RateLimitItemPerMinute(20), "A member can save 20 posts a minute"),
    "settings": (RateLimitItemPerMinute(30), "Settings can be saved 30 times a minute"),
    "act": (RateLimitItemPerMinute(120), "A moderator can act 120 times a minute"),
    "report": (RateLimitItemPerMinute(20), "A member can report 20 things a minute"),
    "press": (RateLimitItemPerMinute(240), "Buttons can be pressed 240 times a minute"),
    "export": (RateLimitItemPerSecond(10, HOUR), "Your data can be downloaded 10 times an hour"),
    "search": (RateLimitItemPerMinute(300), "300 searches a minute are possible"),
}


class SQLiteCounters(Storage):
    """Fixed windows in a SQLite file of its own: shared by all processes of one host, lost without harm."""

    STORAGE_SCHEME = ["parley-sqlite"]

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self.path = (uri or "").removeprefix("parley-sqlite://")
        self.local = threading.local()

    @property
    def base_exceptions(self) -> type[Exception]:
        return sqlite3.Error

    @property
    def connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self.local, "connection", None)
        if found is None:
            found = sqlite3.connect(self.path, isolation_level=None, timeout=5)
            found.execute("PRAGMA journal_mode = WAL")
            found.execute("PRAGMA synchronous = OFF")
            found.execute("CREATE TABLE IF NOT EXISTS counter (key TEXT PRIMARY KEY, amount INTEGER NOT NULL, expires REAL NOT NULL) WITHOUT ROWID")
            self.local.connection = found
        return found

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        moment = time.time()
        row = self.connection.execute(
            "INSERT INTO counter VALUES (?1, ?2, ?3 + ?4) ON CONFLICT (key) DO UPDATE SET"
            " amount = CASE WHEN expires <= ?3 THEN ?2 ELSE amount + ?2 END,"
            " expires = CASE WHEN expires <= ?3 THEN ?3 + ?4 ELSE expires END RETURNING amount",
            (key, amount, moment, expiry),
        ).fetchone()
        if row[0] == amount:  # a new window: a good moment to forget old ones
            self.connection.execute("DELETE FROM counter WHERE expires <= ?", (moment,))
        return int(row[0])

    def get(self, key: str) -> int:
        row = self.connection.execute("SELECT amount FROM counter WHERE key = ? AND expires > ?", (key, time.time())).fetchone()
        return int(row[0]) if row else 0

    def get_expiry(self, key: str) -> float:
        row = self.connection.execute("SELECT expires FROM counter WHERE key = ?", (key,)).fetchone()
        return float(row[0]) if row else time.time()

    def check(self) -> bool:
        return self.connection.execute("SELECT 1").fetchone() is not None

    def reset(self) -> int | None:
        return self.connection.execute("DELETE FROM counter").rowcount

    def clear(self, key: str) -> None:
        self.connection.execute("DELETE FROM counter WHERE key = ?", (key,))


def register(app: Flask, chosen: Settings) -> None:
    """Bind the counters to the application."""
    # What Redis itself calls unix:// has another name in this library.
    redis = f"redis+{chosen.redis_url}" if chosen.redis_url.startswith("unix://") else chosen.redis_url
    uri = redis or f"parley-sqlite://{Path(chosen.instance) / 'limits.db'}"
    app.extensions["parley_limits"] = FixedWindowRateLimiter(storage_from_string(uri))


def spend(budget: str, who: str | int) -> None:
    """Take one from a budget of `who` (a member's id, a client address).

    Raises TooFast with the clock time when nothing is left of it, Unavailable when the counters do not answer.
    """
    if not settings().ratelimit_enabled:
        return
    item, words = BUDGETS[budget]
    who = str(who)[:LONGEST_WHO]
    with _counters() as limiter:
        if limiter.hit(item, budget, who):
            return
        reset_at = limiter.get_window_stats(item, budget, who).reset_time
    seconds = max(1, math.ceil(reset_at - time.time()))
    until = now() + timedelta(seconds=seconds)
    raise TooFast(f"{words}. You can go on at {clock_time(until)}. What you typed is still here.", seconds, until)


def count(budget: str, who: str | int) -> None:
    """Take one from a budget if one is left; what is more is not counted. Raises Unavailable."""
    if settings().ratelimit_enabled:
        with _counters() as limiter:
            limiter.hit(BUDGETS[budget][0], budget, str(who)[:LONGEST_WHO])


def is_spent(budget: str, who: str | int) -> bool:
    """Whether nothing is left of a budget; takes nothing. Raises Unavailable."""
    if not settings().ratelimit_enabled:
        return False
    with _counters() as limiter:
        return not limiter.test(BUDGETS[budget][0], budget, str(who)[:LONGEST_WHO])


@contextmanager
def _counters() -> Iterator[FixedWindowRateLimiter]:
    limiter = cast(FixedWindowRateLimiter, current_app.extensions["parley_limits"])
    try:
        yield limiter
    except limiter.storage.base_exceptions as error:
        log.error("the counters did not answer: %s: %s", type(error).__name__, error)
        raise Unavailable("The board can’t count requests just now, so nothing was saved. Your text is still here; try again in a moment.") from None


def client() -> str:
    """Where a request comes from, as the trusted proxies tell it: the address, of IPv6 the network that one customer has (/64)."""
    address = request.remote_addr or "unknown"
    try:
        parsed = IPv6Address(address)
    except ValueError:
        return address
    return str(parsed.ipv4_mapped or IPv6Network((parsed, 64), strict=False))
