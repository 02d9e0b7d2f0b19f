"""What a member is told: one row a matter. Words are made when it is shown or mailed, so that nothing hidden since is told."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base, BigId, UTCDateTime

# More unseen ones are "99+" to anybody.
MOST_COUNTED = 100


class NoticeKind(StrEnum):
    REPLY = "reply"  # somebody answered my comment; subject: the reply
    COMMENT = "comment"  # somebody commented on my post; subject: the comment
    ACT = "act"  # an act about me; subject: the act
    APPEAL = "appeal"  # my appeal was decided; subject: the act of the decision
    APPEALED = "appealed"  # an act of mine was appealed, or its appeal decided; subject: the act
    MESSAGE = "message"  # a message in an appeal; subject: the act appealed
    REPORT = "report"  # a report of mine was decided; subject: the case
    APPROVED = "approved"  # a text of mine that waited is out; subject: the comment


class Notice(Base):
    """Unseen notices of one group become one row that counts; a seen one stays as it is."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    kind: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[int] = mapped_column(BigId)  # of the newest matter in the group
    by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))  # who did it, where that may be told
    grouped: Mapped[str] = mapped_column(String(60))  # "reply 12": what is told in one line
    count: Mapped[int] = mapped_column(default=1, server_default="1")
    told_at: Mapped[datetime] = mapped_column(UTCDateTime)  # of the newest
    seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


UNSEEN = Notice.seen_at.is_(None)
Index("notice_unseen", Notice.member_id, Notice.grouped, unique=True, sqlite_where=UNSEEN, postgresql_where=UNSEEN)
Index("notice_newest", Notice.member_id, Notice.told_at, Notice.id)


def unseen(member_id: Any) -> Any:
    """For the statement that loads a viewer: how many notices wait unseen, MOST_COUNTED at most."""
    some = select(Notice.id).where(Notice.member_id == member_id, UNSEEN).limit(MOST_COUNTED).correlate_except(Notice).subquery()
    return select(func.count()).select_from(some).scalar_subquery()
