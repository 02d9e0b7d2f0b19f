"""How much waits for moderators: what the masthead and the tabs of the queue count."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from blog.accounts.models import AT_THE_DOOR, Member
from blog.clock import now
from blog.db import db
from blog.filters.models import WAITING, HeldText
from blog.moderation.models import APPEAL_OPEN, OPEN, Appeal, Case
from blog.moderation.reporting import CLAIM
from blog.posts.models import HELD, Post
from blog.viewer import Viewer

# More than this are "99+" to anybody.
MOST_COUNTED = 100


@dataclass(frozen=True, slots=True)
class Waiting:
    """Open cases but those about the viewer, those that the viewer claimed; texts, posts and newcomers that wait for approval; open appeals.
    MOST_COUNTED at most each."""

    cases: int = 0
    yours: int = 0
    held: int = 0
    appeals: int = 0

    @property
    def together(self) -> int:
        return self.cases + self.held + self.appeals


NOTHING = Waiting()


def _few(what: Any) -> Any:
    return select(func.count()).select_from(what.limit(MOST_COUNTED).subquery()).scalar_subquery()


def waiting(viewer: Viewer) -> Waiting:
    """For a moderator; NOTHING, without asking, for everybody else. One statement, bounded by MOST_COUNTED."""
    if not viewer.is_moderator:
        return NOTHING
    row = db.session.execute(select(
        _few(select(Case.id).where(OPEN, Case.person_id != viewer.id)).label("cases"),
        _few(select(Case.id).where(OPEN, Case.claimed_by == viewer.id, Case.claimed_at > now() - CLAIM)).label("yours"),
        (_few(select(HeldText.id).where(WAITING)) + _few(select(Post.id).where(HELD)) + _few(select(Member.id).where(AT_THE_DOOR))).label("held"),
        _few(select(Appeal.id).where(APPEAL_OPEN)).label("appeals"),
    )).one()
    return Waiting(*row)
