"""Readings of what waits for approval, for its writer and for whoever decides."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import aliased

from blog.acts.models import Act, Rule
from blog.db import db
from blog.errors import NotFound
from blog.filters.models import HeldKind, HeldState, HeldText
from blog.permissions import may_read_held
from blog.posts.models import Post
from blog.viewer import Viewer

# A writer's waiting texts under one post: who has more finds the rest as these are decided.
MOST = 20


@dataclass(frozen=True, slots=True)
class Held:
    """A text that waits or waited, with the act that held it."""

    id: int
    kind: str
    post_id: int
    parent_id: int | None
    comment_id: int | None
    author_id: int
    title: str | None
    html: str
    version: int
    state: str
    created_at: datetime
    slug: str  # the post's; not to be shown while it is hidden: see post_path
    post_title: str
    post_hidden_by: int | None
    post_deleted_at: datetime | None
    act_number: int
    sentence: str
    rule_number: int
    rule_title: str
    decision: int | None  # number of the act that decided it
    decision_reason: str | None

    @property
    def post_path(self) -> str:
        """The post's address; by number while it is hidden or deleted, so that the slug tells nothing."""
        return f"/posts/{self.post_id if self._post_is_gone else quote(self.slug)}"

    @property
    def on(self) -> str:
        """What stands for the post."""
        return f"Post {self.post_id}" if self._post_is_gone else self.post_title

    @property
    def _post_is_gone(self) -> bool:
        return self.post_hidden_by is not None or self.post_deleted_at is not None

    @property
    def is_waiting(self) -> bool:
        return self.state == HeldState.WAITING

    @property
    def what(self) -> str:
        """What waits, in words: "Your … waits"."""
        if self.kind == HeldKind.EDIT:
            return "change of a comment"
        if self.kind == HeldKind.POST_EDIT:
            return "change of a post"
        return "reply" if self.parent_id else "comment"

    @property
    def body_class(self) -> str:
        return "post-body" if self.kind == HeldKind.POST_EDIT else "comment-body"


_DECISION = aliased(Act)
_HELD: Any = (
    select(HeldText.id, HeldText.kind, HeldText.post_id, HeldText.parent_id, HeldText.comment_id, HeldText.author_id, HeldText.title, HeldText.html,
           HeldText.version, HeldText.state, HeldText.created_at, Post.slug, Post.title.label("post_title"), Post.hidden_by, Post.deleted_at,
           Act.number, Act.reason,
           Rule.number.label("rule_number"), Rule.title.label("rule_title"), _DECISION.number.label("decision"),
           _DECISION.reason.label("decision_reason"))
    .join(Post, Post.id == HeldText.post_id)
    .join(Act, Act.id == HeldText.held_by)
    .join(Rule, Rule.id == Act.rule_id)
    .outerjoin(_DECISION, _DECISION.id == HeldText.decided_by)
)


def mine(post_id: int, member_id: int) -> list[Held]:
    """What this member wrote under this post and what waits there, oldest first; nothing, without asking, for strangers. One statement."""
    if not member_id:
        return []
    waiting = _HELD.where(HeldText.author_id == member_id, HeldText.post_id == post_id, HeldText.state == HeldState.WAITING.value)
    return [Held(*row) for row in db.session.execute(waiting.order_by(HeldText.id).limit(MOST))]


def one(held_id: int, viewer: Viewer) -> Held:
    """The text, for its writer and for moderators. One statement. Raises NotFound for everybody else."""
    row = db.session.execute(_HELD.where(HeldText.id == held_id)).one_or_none()
    if row is None or not may_read_held(viewer, row.author_id):
        raise NotFound()
    return Held(*row)


def source_of(held_id: int) -> str:
    """The Markdown of a text that waits. One statement."""
    return str(db.session.execute(select(HeldText.source).where(HeldText.id == held_id)).scalar_one())


def act_of_post(post_id: int) -> tuple[Act, Rule] | None:
    """The act that a waiting post was held by last. One statement."""
    held = select(Act, Rule).join(Rule, Rule.id == Act.rule_id).where(Act.target_kind == "post", Act.target_id == post_id, Act.kind == "hold")
    row = db.session.execute(held.order_by(Act.id.desc()).limit(1)).one_or_none()
    return (row[0], row[1]) if row else None
