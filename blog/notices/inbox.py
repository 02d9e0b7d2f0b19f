"""A member's notices as rows: pages of them, how many are unread, read and unread again. What they say is made where subjects are known (members/told.py)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select, tuple_, update
from sqlalchemy.orm import aliased

from blog.clock import now
from blog.db import db
from blog.notices.models import MOST_COUNTED, UNSEEN, Notice, NoticeKind
from blog.paging import cursor, micros, moment_of, read_cursor

PAGE = 30

# What stands under which tab.
TABS: dict[str, tuple[NoticeKind, ...]] = {
    "all": tuple(NoticeKind),
    "replies": (NoticeKind.REPLY, NoticeKind.COMMENT, NoticeKind.APPROVED),
    "acts": (NoticeKind.ACT, NoticeKind.APPEAL, NoticeKind.APPEALED, NoticeKind.MESSAGE),
    "reports": (NoticeKind.REPORT,),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One notice: what kind of matter, which, and how many of them in this line."""

    id: int
    kind: NoticeKind
    subject_id: int
    by_id: int | None
    count: int
    told_at: datetime
    seen_at: datetime | None


_TOLD: Any = select(Notice.id, Notice.kind, Notice.subject_id, Notice.by_id, Notice.count, Notice.told_at, Notice.seen_at)


def page(member_id: int, tab: str = "all", after: str | None = None) -> tuple[list[Told], str]:
    """A page of the member's notices under that tab, newest first, and the cursor of the next ("" if there is none). One statement.

    Raises Malformed for a bad cursor.
    """
    asked = _under(_TOLD.where(Notice.member_id == member_id), tab)
    parts = read_cursor(after, 2)
    if parts is not None:
        asked = asked.where(tuple_(Notice.told_at, Notice.id) < tuple_(moment_of(parts[0]), parts[1]))
    rows = db.session.execute(asked.order_by(Notice.told_at.desc(), Notice.id.desc()).limit(PAGE + 1)).all()
    shown = [_told(row) for row in rows[:PAGE]]
    return shown, cursor(micros(shown[-1].told_at), shown[-1].id) if len(rows) > PAGE else ""


def one(member_id: int, notice_id: int) -> Told | None:
    """One of the member's notices, None for anybody else's. One statement."""
    row = db.session.execute(_TOLD.where(Notice.member_id == member_id, Notice.id == notice_id)).one_or_none()
    return _told(row) if row else None


def unread(member_id: int) -> dict[str, int]:
    """How many notices are unread, by tab; of the newest MOST_COUNTED. One statement."""
    newest = select(Notice.kind).where(Notice.member_id == member_id, UNSEEN).limit(MOST_COUNTED).subquery()
    rows: Any = db.session.execute(select(newest.c.kind, func.count()).group_by(newest.c.kind))
    by_kind: dict[str, int] = dict(tuple(row) for row in rows)
    return {tab: sum(by_kind.get(kind.value, 0) for kind in kinds) for tab, kinds in TABS.items()}


def read(member_id: int, notice_id: int) -> datetime | None:
    """Note that the member has read this one. Gives the moment, by which `unread_again` finds it; None where nothing was unread."""
    return _read(Notice.member_id == member_id, Notice.id == notice_id)


def read_all(member_id: int, tab: str = "all", until: datetime | None = None) -> datetime | None:
    """Note that the member has read all under that tab, or those told up to `until`: what their page showed. As `read`."""
    kinds = [kind.value for kind in TABS[tab]]
    return _read(Notice.member_id == member_id, Notice.kind.in_(kinds), *([Notice.told_at <= until] if until else []))


def _read(*which: Any) -> datetime | None:
    moment = now()
    done: Any = db.session.execute(update(Notice).where(UNSEEN, *which).values(seen_at=moment), execution_options={"synchronize_session": False})
    return moment if done.rowcount else None


def unread_again(member_id: int, moment: datetime) -> None:
    """Take back what was noted at that moment. Where the same group has become unread meanwhile, that line tells it already."""
    newer = aliased(Notice)
    told_already = exists().where(newer.member_id == member_id, newer.grouped == Notice.grouped, newer.seen_at.is_(None))
    db.session.execute(
        update(Notice).where(Notice.member_id == member_id, Notice.seen_at == moment, ~told_already).values(seen_at=None),
        execution_options={"synchronize_session": False},
    )


def _under(asked: Any, tab: str) -> Any:
    return asked if tab == "all" else asked.where(Notice.kind.in_([kind.value for kind in TABS[tab]]))


def _told(row: Any) -> Told:
    return Told(row.id, NoticeKind(row.kind), *row[2:])


def subjects(told: Sequence[Told], *kinds: NoticeKind) -> set[int]:
    """The ids that the notices of these kinds are about."""
    return {notice.subject_id for notice in told if notice.kind in kinds}
