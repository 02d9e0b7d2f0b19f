"""How members stand: what was done about them, what moderators note, and the list of members for moderators."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from blog.accounts.models import Member
from blog.acts.models import Act, ActKind
from blog.clock import now
from blog.comments.models import Comment
from blog.dates import MONTHS, day, local
from blog.db import db

# Of more comments nobody asks how many.
MOST_COUNTED = 1000

# Acts that took something from a person, in the words of a list: one of them, several.
AGAINST: dict[str, tuple[str, str]] = {
    ActKind.HIDE: ("text hidden", "texts hidden"),
    ActKind.REJECT: ("text rejected", "texts rejected"),
    ActKind.REDACT: ("text taken out", "texts taken out"),
    ActKind.WARN: ("warning", "warnings"),
    ActKind.SUSPEND: ("suspension", "suspensions"),
    ActKind.BAD_FAITH: ("report in bad faith", "reports in bad faith"),
}


@dataclass(slots=True)
class History:
    """What moderators see of a member beside their words. Acts that were undone do not count."""

    joined_at: datetime
    comments: int  # MOST_COUNTED at most
    acts: dict[str, int] = field(default_factory=dict)
    last_act_at: datetime | None = None

    @property
    def sentence(self) -> str:
        """ "Member since March 2023 · 212 comments · 1 act before: 1 warning, 2023-04-02"."""
        count = sum(self.acts.values())
        kinds = ", ".join(f"{number} {AGAINST[kind][number > 1]}" for kind, number in self.acts.items())
        before = "no acts"
        if self.last_act_at is not None:
            before = f"{count} act{'' if count == 1 else 's'} before: {kinds}, {'' if count == 1 else 'the last on '}{day(self.last_act_at)}"
        many = f"{MOST_COUNTED:,} comments or more" if self.comments >= MOST_COUNTED else f"{self.comments} comment{'' if self.comments == 1 else 's'}"
        return f"{_since(self.joined_at)} · {many} · {before}"


def _since(joined_at: datetime) -> str:
    days = (now() - joined_at).days
    if days < 1:
        return "Member since today"
    if days < 60:
        return f"Member for {days} day{'' if days == 1 else 's'}"
    at = local(joined_at)
    return f"Member since {MONTHS[at.month - 1]} {at.year}"


def histories(member_ids: Sequence[int]) -> dict[int, History]:
    """The history of each member. Two statements, whatever their number."""
    some = select(Comment.id).where(Comment.author_id == Member.id, Comment.deleted_at.is_(None)).limit(MOST_COUNTED).correlate(Member).subquery()
    counted: Any = select(func.count()).select_from(some).scalar_subquery()
    found = {row.id: History(row.created_at, row.comments) for row in db.session.execute(
        select(Member.id, Member.created_at, counted.label("comments")).where(Member.id.in_(member_ids)))}
    undoing = aliased(Act)
    acts = (
        select(Act.person_id, Act.kind, func.count().label("number"), func.max(Act.created_at).label("last"))
        .outerjoin(undoing, undoing.undoes_id == Act.id)
        .where(Act.person_id.in_(member_ids), Act.kind.in_([kind.value for kind in ActKind if kind in AGAINST]), undoing.id.is_(None))
        .group_by(Act.person_id, Act.kind)
    )
    rows: Sequence[Any] = db.session.execute(acts.order_by(Act.kind)).all()
    for row in rows:
        history = found[row.person_id]
        history.acts[row.kind] = row.number
        history.last_act_at = max(filter(None, (history.last_act_at, row.last)))
    return found
