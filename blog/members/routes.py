"""Doors of members: a member's page, and what they deleted."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from blog.acts.models import Act
from blog.members import profile
from blog.moderation import sanctioning
from blog.permissions import may_act_on_member
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
        standing=_standing(person) if viewer().is_moderator and not own else None,
    )


@bp.get("/settings/deleted")
def deleted() -> Response:
    """What the member deleted and can bring back."""
    return page_or_fragment(
        "members/deleted.html", "members/deleted.html", posts=profile.deleted_posts(viewer().id, request.args.get("posts")),
        comments=profile.deleted_comments(viewer().id, request.args.get("comments")),
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """What moderators see and may do at a member's page. Everybody else sees nothing of it: acts never name the person."""

    suspended_by: Act | None
    until: datetime | None
    may_act: bool


def _standing(person: profile.Person) -> Standing:
    found = sanctioning.suspension(person.id)
    return Standing(found[0] if found else None, found[1] if found else None, bool(may_act_on_member(viewer(), person.id, person.role)))
