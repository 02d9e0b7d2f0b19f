"""Pages kept ready for readers who are not signed in: the bytes of a whole answer, plain and compressed, under the versions they show.

Asked before a session, a member or a template is touched. The versions are read anew each time, by one statement on a plain connection,
so a hide or an edit is seen by the next request. Nothing is kept of a page that sets a cookie or holds a token.
"""

import gzip
import hashlib
from dataclasses import dataclass
from typing import Any, cast

from flask import Response, current_app, request, session

from blog.caching import Kept
from blog.config import settings
from blog.db import db
from blog.web import is_fragment, vary

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
        return f'W/"{self.post_id}-{self.thread}-{self.board}-{current_app.config["ASSETS"]}"'


def versions(slug: str) -> Versions | None:
    """The versions behind an address; None for one that has no page everybody reads. One statement, without the ORM: it decides what a page costs."""
    connection = db.engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(_VERSIONS.format(mark="?" if db.engine.dialect.name == "sqlite" else "%s"), (slug,))
        row = cursor.fetchone()
        cursor.close()
    finally:
        connection.close()
    return Versions(*row) if row else None


def may_serve() -> bool:
    """Whether this request could be anybody's: no cookie of ours, a whole page asked for. "3 days ago" is out of date too soon to be kept."""
    if settings().byline == "relative":
        return False
    cookie = current_app.config["SESSION_COOKIE_NAME"]
    return request.method in {"GET", "HEAD"} and not is_fragment() and cookie not in request.cookies


def serve(found: Versions) -> Response | None:
    """The kept page or a 304, None if there is nothing kept under these versions."""
    if request.headers.get("If-None-Match") == found.etag:
        return _answer(Response(status=304), found.etag)
    kept = _kept.get(_key(found))
    if kept is None:
        return None
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response = Response(kept.packed, mimetype="text/html")
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = Response(kept.plain, mimetype="text/html")
    return _answer(response, found.etag)


def unchanged(etag: str) -> Response | None:
    """A 304, if this is what the browser has."""
    if etag and request.headers.get("If-None-Match") == etag:
        response = Response(status=304)
        response.headers["Cache-Control"] = "private, no-cache"
        return vary(response)
    return None


def keep(found: Versions, response: Any) -> Response:
    """Keep a page that was just drawn for a stranger, and send it with its validator."""
    if response.status_code == 200 and not session:
        plain = response.get_data()
        # Level 6 once for many readers; no token stands in the page, so nothing can be guessed from its length.
        ready = Ready(plain, gzip.compress(plain, 6, mtime=0))
        _kept.put(_key(found), ready, len(ready.plain) + len(ready.packed))
        served = serve(found)
        if served is not None:
            return served
    return cast(Response, response)


def member_etag(*facts: Any) -> str:
    """A weak validator of one member's page, from everything that it shows; "" while a message waits to be told."""
    if "_flashes" in session:
        return ""
    return f'W/"{hashlib.sha256(repr((*facts, current_app.config["ASSETS"])).encode()).hexdigest()[:24]}"'


def _key(found: Versions) -> Any:
    chosen = settings()
    return (chosen.instance, chosen.database_url, found, request.query_string, request.path)


def _answer(response: Response, etag: str) -> Response:
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "public, no-cache"
    for name in ("Cookie", "HX-Request", "Accept-Encoding"):
        response.vary.add(name)
    return response
