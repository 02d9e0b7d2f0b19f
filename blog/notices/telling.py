"""Telling a member something, in the transaction of the deed that causes it. Knows nothing of comments or acts: kinds and ids only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from blog.accounts.models import Member
from blog.clock import now
from blog.db import db
from blog.notices.models import UNSEEN, Notice, NoticeKind


def tell(member_id: int, kind: NoticeKind, subject_id: int, *, by_id: int | None = None, group: str = "") -> None:
    """Put a notice before the member. One that stands there unseen under the same `group` counts one more instead. Nobody is told of
    what they did themselves. One statement."""
    if by_id is not None and by_id == member_id:
        return
    _tell([member_id], kind, subject_id, by_id, group)


def tell_each(member_ids: Sequence[int], kind: NoticeKind, subject_id: int) -> None:
    """The same for several members, who did nothing of it themselves. One statement, none for nobody."""
    if member_ids:
        _tell(member_ids, kind, subject_id, None, "")


def take_back(kind: NoticeKind, subject_id: int) -> None:
    """Nobody who has not seen it yet is told of it any more. One statement."""
    db.session.execute(delete(Notice).where(Notice.kind == kind.value, Notice.subject_id == subject_id, UNSEEN))


def _tell(member_ids: Sequence[int], kind: NoticeKind, subject_id: int, by_id: int | None, group: str) -> None:
    insert: Any = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    newest = {"subject_id": subject_id, "by_id": by_id, "told_at": now()}
    same = {"kind": kind.value, "grouped": f"{kind.value} {group or subject_id}", "count": 1, **newest}
    # Who left the board is told nothing any more. In order of ids, so that of two deeds none waits for the other in a circle.
    columns = Notice.__table__.c
    to = select(Member.id, *(literal(value, columns[name].type) for name, value in same.items())).where(Member.id.in_(member_ids), Member.left_at.is_(None))
    row = insert(Notice).from_select(["member_id", *same], to.order_by(Member.id))
    db.session.execute(row.on_conflict_do_update(index_elements=["member_id", "grouped"], index_where=UNSEEN, set_={**newest, "count": Notice.count + 1}))
