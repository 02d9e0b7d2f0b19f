"""What people say to moderators and what moderators note: reports gathered into cases, appeals, notes, reason templates."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base, BigId, UTCDateTime


class CaseState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class Case(Base):
    """All reports on one thing. Closed by an act; a later report on the same thing opens a new one."""

    __tablename__ = "moderation_case"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    target_kind: Mapped[str] = mapped_column(String(10))  # TargetKind: post or comment
    target_id: Mapped[int] = mapped_column(BigId)
    person_id: Mapped[int] = mapped_column(ForeignKey("member.id"))  # who wrote it
    state: Mapped[str] = mapped_column(String(10), default=CaseState.OPEN.value)
    report_count: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    claimed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reported_at: Mapped[datetime] = mapped_column(UTCDateTime)  # the newest report
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("act.id"))  # the act that answered it

    __table_args__ = ({"sqlite_autoincrement": True},)


OPEN = Case.state == "open"
Index("case_target_open", Case.target_kind, Case.target_id, unique=True, sqlite_where=OPEN, postgresql_where=OPEN)
Index("case_open", Case.id, sqlite_where=OPEN, postgresql_where=OPEN)


class Report(Base):
    """One member's report. Only moderators read who made it."""

    __tablename__ = "report"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("moderation_case.id"))
    reporter_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    rule_id: Mapped[int] = mapped_column(ForeignKey("rule.id"))
    note: Mapped[str] = mapped_column(String(1000), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    bad_faith_by: Mapped[int | None] = mapped_column(BigId)  # the act that dismissed it as made to harm; acts are never removed

    __table_args__ = (UniqueConstraint("case_id", "reporter_id"),)


Index("report_reporter", Report.reporter_id, Report.id)


class AppealState(StrEnum):
    OPEN = "open"
    DECIDED = "decided"


class Outcome(StrEnum):
    UPHOLD = "uphold"
    SOFTEN = "soften"
    OVERTURN = "overturn"


class Appeal(Base):
    """The one appeal that an act may have."""

    __tablename__ = "appeal"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    act_id: Mapped[int] = mapped_column(ForeignKey("act.id"), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    statement: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), default=AppealState.OPEN.value)
    outcome: Mapped[str | None] = mapped_column(String(10))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("act.id"))  # the act of the decision, which carries its reason
    claimed_by: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    filed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


APPEAL_OPEN = Appeal.state == "open"
Index("appeal_open", Appeal.id, sqlite_where=APPEAL_OPEN, postgresql_where=APPEAL_OPEN)


class AppealMessage(Base):
    """A line between the appellant and whoever decides."""

    __tablename__ = "appeal_message"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeal.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    body: Mapped[str] = mapped_column(Text)  # plain text
    submission_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (UniqueConstraint("author_id", "submission_id"),)


Index("appeal_message_appeal", AppealMessage.appeal_id, AppealMessage.id)


class MemberNote(Base):
    """What moderators note about a member, for each other."""

    __tablename__ = "member_note"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    body: Mapped[str] = mapped_column(String(1000))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


Index("member_note_member", MemberNote.member_id, MemberNote.id)


class ReasonTemplate(Base):
    """A reason that is often given, to begin one's own with."""

    __tablename__ = "reason_template"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    rule_number: Mapped[int | None] = mapped_column(SmallInteger)  # offered with this rule; None: with all
    title: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(String(500))
    retired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
