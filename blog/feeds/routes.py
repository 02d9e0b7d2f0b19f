"""Doors of feeds: Atom for readers' programs, a sitemap for search engines. The same for everybody who asks."""

import hashlib
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as WerkzeugResponse

from blog.config import settings
from blog.errors import Gone, NotFound
from blog.feeds import entries
from blog.paging import EPOCH
from blog.posts import listing as posts
from blog.text.sanitising import storable
from blog.topics import listing as topics
from blog.viewer import STRANGER
from blog.web import open_to_all

bp = Blueprint("feeds", __name__)

ATOM = "application/atom+xml; charset=utf-8"


@bp.get("/feed.atom")
@open_to_all
def board() -> WerkzeugResponse:
    return _atom("board", settings().title, "/", "/feed.atom", entries.newest_posts())


@bp.get("/topics/<slug>/feed.atom")
@open_to_all
def topic(slug: str) -> WerkzeugResponse:
    found = topics.topic(slug)
    return _atom(f"topic/{found.id}", f"{settings().title}: {found.name}", found.path, f"{found.path}/feed.atom", entries.newest_posts_of(found.id))


@bp.get("/posts/<slug>/feed.atom")
@open_to_all
def post(slug: str) -> WerkzeugResponse:
    found = posts.article(STRANGER, slug)
    if found.deleted_at is not None:
        raise Gone("Its author took this post down.")
    if not found.is_readable:
        raise NotFound("A moderator hid this post, so it has no feed.")
    if slug != found.slug:
        return redirect(f"{found.path}/feed.atom", 301)
    return _atom(f"post/{found.id}/comments", f"Comments on {found.title}", found.path, f"{found.path}/feed.atom",
                 entries.newest_comments(found.id, found.title), comments_of=found.id)


@bp.get("/log.atom")
@open_to_all
def log() -> WerkzeugResponse:
    return _atom("log", f"{settings().title}: public log", "/log", "/log.atom", entries.newest_acts(), kind="act")


@bp.get("/sitemap.xml")
@open_to_all
def sitemap() -> WerkzeugResponse:
    places = [*entries.places(), *map(entries.Place, topics.paths(entries.MOST_TOPICS))]
    return _answer(render_template("feeds/sitemap.xml", places=places), "application/xml; charset=utf-8")


def _atom(name: str, title: str, home: str, path: str, found: list[entries.Entry], comments_of: int | None = None, kind: str = "post") -> WerkzeugResponse:
    """A feed. `name` is what its id ends with, `kind` what it holds; ids hold numbers only, so that they outlive every title."""
    host = urlsplit(settings().public_url).hostname or "localhost"
    text = render_template("feeds/atom.xml", name=name, title=title, home=home, path=path, entries=found, host=host, kind="comment" if comments_of else kind,
                           updated_at=max((entry.updated_at for entry in found), default=EPOCH))
    return _answer(text, ATOM)


def _answer(text: str, mimetype: str) -> WerkzeugResponse:
    """The document, or 304 for who has it. Characters that no XML may hold are taken out.

    Its ETag alone is the validator: dates count whole seconds and know nothing of a new name, so words hidden in the second
    in which a feed was read would stay with its reader.
    """
    response = Response(storable(text), content_type=mimetype)
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    return response.make_conditional(request)
