"""Telling a member something, in the transaction of the deed that causes it. Knows nothing of comments or acts: kinds and ids only."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

from blog.clock import now
from blog.db import db
from blog.notices.models import UNSEEN, Notice, NoticeKind


def tell(member_id: int, kind: NoticeKind, subject_id: int, *, by_id: int | None = None, group: str = "") -> None:
    """Put a notice before the member. One that stands there unseen under the same `group` counts one more instead. Nobody is told of
    what they did themselves. One statement."""
    if by_id is not None and by_id == member_id:
        return
    insert: Any = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    newest = {"subject_id": subject_id, "by_id": by_id, "told_at": now()}
    row = insert(Notice).values(member_id=member_id, kind=kind.value, grouped=f"{kind.value} {group or subject_id}", count=1, **newest)
    db.session.execute(row.on_conflict_do_update(index_elements=["member_id", "grouped"], index_where=UNSEEN, set_={**newest, "count": Notice.count + 1}))
