"""How far a member has read: what is new to them in a thread, told by subtraction and comparison, never by counting rows."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from blog.clock import now
from blog.comments.models import Comment, Visit
from blog.db import db
from blog.posts.models import Post
from blog.viewer import Viewer

# What was new when a visit began stays marked for so long, whatever is reloaded.
MARKS_STAY = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a member knew of a thread before this visit. `before_seq` None: never here, so nothing is marked as new."""

    before_seq: int | None = None
    since: datetime | None = None
    noted_seq: int | None = None  # how far the row says the member has read; None: no row
    is_stale: bool = False  # the visit that the row tells of is over

    def is_new(self, seq: int, author_id: int, viewer: Viewer) -> bool:
        """Whether the comment with this number came since; one's own words never are new."""
        return self.before_seq is not None and seq > self.before_seq and author_id != viewer.id

    def is_due(self, last_seq: int) -> bool:
        """Whether this visit changes the row."""
        return self.noted_seq is None or self.is_stale or last_seq > self.noted_seq

    def count(self, last_seq: int) -> int:
        """How many came since, at most (deleted and own ones included)."""
        return 0 if self.before_seq is None else max(0, last_seq - self.before_seq)


NEVER = Seen()


def seen(viewer: Viewer, post_id: int) -> Seen:
    """What this member knew before. One statement; none for a stranger, who gets no marks."""
    if not viewer.is_member:
        return NEVER
    row = db.session.execute(select(Visit).where(Visit.member_id == viewer.id, Visit.post_id == post_id)).scalar_one_or_none()
    if row is None:
        return NEVER
    if row.began_at is not None and now() - row.began_at < MARKS_STAY:
        return Seen(row.before_seq if row.before_at is not None else None, row.before_at, row.last_seq)
    return Seen(row.last_seq, row.began_at, row.last_seq, is_stale=True)


def note(member_id: int, post_id: int, last_seq: int) -> None:
    """The member has read the thread up to here: written after the answer. A visit goes on for half an hour. Numbers never fall."""
    moment = now()
    row = db.session.get(Visit, (member_id, post_id), with_for_update=True)
    if row is None:
        db.session.add(Visit(member_id=member_id, post_id=post_id, last_seq=last_seq, before_seq=last_seq, began_at=moment, before_at=moment))
    elif row.began_at is None or moment - row.began_at >= MARKS_STAY:
        row.before_seq, row.before_at, row.began_at = row.last_seq, row.began_at or moment, moment
        row.last_seq = max(row.last_seq, last_seq)
    else:
        row.last_seq = max(row.last_seq, last_seq)
    db.session.flush()


def note_one(member_id: int, post_id: int, comment_id: int, seq: int) -> None:
    """The member has read this one comment, on a page of its own. Where it was the first new one, everything up to it is read."""
    row = db.session.get(Visit, (member_id, post_id), with_for_update=True)
    if row is not None and row.last_seq < seq and first_new(post_id, row.last_seq) == comment_id:
        note(member_id, post_id, seq)


def mark_read(member_id: int, post_id: int) -> None:
    """Nothing is new any more, at once."""
    last_seq = db.session.execute(select(Post.last_seq).where(Post.id == post_id)).scalar_one()
    insert: Any = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    moment = now()
    read = {"last_seq": last_seq, "before_seq": last_seq, "began_at": moment, "before_at": moment}
    row = insert(Visit).values(member_id=member_id, post_id=post_id, **read)
    db.session.execute(row.on_conflict_do_update(index_elements=["member_id", "post_id"], set_=read))


def moved_with_own(member_id: int, post_id: int, seq: int) -> None:
    """The member wrote number `seq`: who had read all before it has read all with it."""
    db.session.execute(
        update(Visit).where(Visit.member_id == member_id, Visit.post_id == post_id, Visit.last_seq >= seq - 1).values(last_seq=seq)
    )


def unread(viewer: Viewer, last_seqs: dict[int, int]) -> dict[int, int]:
    """For posts by id with their newest number: how many comments came since the member's visit, where any did. One statement."""
    if not viewer.is_member or not last_seqs:
        return {}
    rows = db.session.execute(select(Visit.post_id, Visit.last_seq).where(Visit.member_id == viewer.id, Visit.post_id.in_(last_seqs)))
    counts = {row.post_id: last_seqs[row.post_id] - row.last_seq for row in rows}
    return {post_id: count for post_id, count in counts.items() if count > 0}


def first_new(post_id: int, after_seq: int, *, besides: Collection[int] = (), writer: int = 0) -> int | None:
    """Id of the first listed comment with a higher number, for "next new": none of `besides` (ids) and nothing that `writer` wrote. One statement.

    Reads on from the number, so it is as quick as those left out are few: at most a page and the writer's own.
    """
    found = select(Comment.id).where(Comment.post_id == post_id, Comment.seq > after_seq, Comment.listed).order_by(Comment.seq).limit(1)
    if besides:
        found = found.where(Comment.id.not_in(list(besides)))
    if writer:
        found = found.where(Comment.author_id != writer)
    return db.session.execute(found).scalar_one_or_none()
