"""Doors of topics."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from blog.posts import listing as posts
from blog.topics import listing
from blog.web import open_to_all, page_or_fragment

bp = Blueprint("topics", __name__)


@bp.get("/topics")
@open_to_all
def index() -> Response:
    return page_or_fragment("topics/index.html", "topics/index.html", topics=listing.page(request.args.get("after")))


@bp.get("/topics/<slug>")
@open_to_all
def show(slug: str) -> Response:
    topic = listing.topic(slug)
    return page_or_fragment("topics/show.html", "topics/show.html", topic=topic, posts=posts.by_topic(topic.id, request.args.get("after")))
