"""Doors of members: a member's page, and what they deleted."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from blog.members import profile
from blog.posts import listing
from blog.viewer import viewer
from blog.web import open_to_all, page_or_fragment, vary

bp = Blueprint("members", __name__)


@bp.get("/members/<username>")
@open_to_all
def show(username: str) -> Response:
    person = profile.person(username)
    if person.username != username:
        query = request.query_string.decode("utf-8", "replace")
        return vary(redirect(f"{person.path}?{query}" if query else person.path, 301))
    own = viewer().id == person.id
    return page_or_fragment(
        "members/show.html", "members/show.html", person=person, own=own, posts=listing.by_author(person.id, request.args.get("posts")),
        comments=profile.comments(person.id, request.args.get("comments")), drafts=listing.drafts(person.id) if own else [],
    )


@bp.get("/settings/deleted")
def deleted() -> Response:
    """What the member deleted and can bring back."""
    return page_or_fragment(
        "members/deleted.html", "members/deleted.html", posts=profile.deleted_posts(viewer().id, request.args.get("posts")),
        comments=profile.deleted_comments(viewer().id, request.args.get("comments")),
    )
