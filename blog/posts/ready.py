"""Pages kept ready for readers who are not signed in: the bytes of a whole answer, plain and compressed, under the versions they show.

Asked before a session, a member or a template is touched. The versions are read anew each time, by one statement on a plain connection,
so a hide or an edit is seen by the next request. Nothing is kept of a page that sets a cookie or holds a token.
"""

import gzip
import hashlib
from dataclasses import dataclass
from typing import Any

from flask import Response, current_app
from sqlalchemy.exc import SQLAlchemyError

from blog.caching import Kept
from blog.config import settings
from blog.db import db, plain_cursor
from blog.web import vary

# A page of a hundred comments is some 150 kB plain and 25 kB compressed.
MOST_BYTES = 48 * 1024 * 1024

_kept: Kept["Ready"] = Kept(MOST_BYTES)

# Only what everybody reads: drafts, hidden and deleted posts go the long way.
_VERSIONS = (
    "SELECT p.id, p.version, b.version FROM post_slug s JOIN post p ON p.id = s.post_id JOIN board b ON b.id = 1 WHERE s.slug = {mark}"
    " AND p.slug = s.slug AND p.state = 'published' AND p.deleted_at IS NULL AND p.hidden_by IS NULL"
)


@dataclass(frozen=True, slots=True)
class Ready:
    """An answer that can be sent as it is."""

    plain: bytes
    packed: bytes


@dataclass(frozen=True, slots=True)
class Versions:
    """What a post's page is drawn from."""

    post_id: int
    thread: int
    board: int

    @property
    def etag(self) -> str:
        """A weak validator of the reader's page: everything that it shows, and the release that drew it."""
        return f'W/"{self.post_id}-{self.thread}-{self.board}-{current_app.config["DRAWN_BY"]}"'


def versions(slug: str) -> Versions | None:
    """The versions behind an address; None for one that has no page everybody reads, or where the
    database does not answer. One statement, without the ORM: it decides what a page costs."""
    try:
        with plain_cursor() as cursor:
            cursor.execute(_VERSIONS.format(mark="?" if db.engine.dialect.name == "sqlite" else "%s"), (slug,))
            row = cursor.fetchone()
    except (db.engine.dialect.loaded_dbapi.Error, SQLAlchemyError):
        return None  # the long way tells what is wrong with the database
    return Versions(*row) if row else None


@dataclass(frozen=True, slots=True)
class Asked:
    """What decides which bytes answer a request: the address with its question, what the browser has, what it unpacks."""

    address: str
    etag: str
    takes_gzip: bool


def serve(found: Versions, asked: Asked) -> Response | None:
    """The kept page or a 304, None if there is nothing kept under these versions."""
    if asked.etag == found.etag:
        return _answer(Response(status=304), found.etag)
    kept = _kept.get(_key(found, asked))
    if kept is None:
        return None
    response = Response(kept.packed if asked.takes_gzip else kept.plain, mimetype="text/html")
    if asked.takes_gzip:
        response.headers["Content-Encoding"] = "gzip"
    return _answer(response, found.etag)


def keep(found: Versions, asked: Asked, plain: bytes) -> Response | None:
    """Keep a page that was just drawn for a stranger, and give it with its validator; None if it is too large to be kept."""
    # Level 6 once for many readers; no token stands in the page, so nothing can be guessed from its length.
    ready = Ready(plain, gzip.compress(plain, 6, mtime=0))
    _kept.put(_key(found, asked), ready, len(ready.plain) + len(ready.packed))
    return serve(found, asked)


def member_etag(*facts: Any) -> str:
    """A weak validator of one member's page, from everything that it shows."""
    return f'W/"{hashlib.sha256(repr((*facts, current_app.config["DRAWN_BY"])).encode()).hexdigest()[:24]}"'


def unchanged() -> Response:
    """A 304 for a member: what the browser has is what would be drawn."""
    response = Response(status=304)
    response.headers["Cache-Control"] = "private, no-cache"
    return vary(response)


def _key(found: Versions, asked: Asked) -> Any:
    chosen = settings()
    return (chosen.instance, chosen.database_url, found, asked.address)


def _answer(response: Response, etag: str) -> Response:
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "public, no-cache"
    for name in ("Cookie", "Accept-Encoding"):
        response.vary.add(name)
    return vary(response)
