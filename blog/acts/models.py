"""The board's rules, and the one append-only table of moderation acts that receipts, appeals and the log read."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from blog.db import Base, BigId, UTCDateTime


class ActKind(StrEnum):
    """What was done. Its words for readers stand in acts/words.py."""

    HIDE = "hide"
    UNHIDE = "unhide"
    LOCK = "lock"  # a discussion takes no comments, for a while or until it is unlocked
    UNLOCK = "unlock"
    CLOSE = "close"  # a post takes no comments any more, for good
    REOPEN = "reopen"
    SLOW = "slow"  # a discussion takes one comment of a member every so many seconds
    UNSLOW = "unslow"
    WARN = "warn"
    SUSPEND = "suspend"
    LIFT = "lift"  # ends a suspension before its time
    HOLD = "hold"  # a text waits for approval; the board itself does this too
    APPROVE = "approve"
    REJECT = "reject"
    REDACT = "redact"  # words are taken out for law or safety: not hidden, gone
    ASIDE = "aside"  # a post's author folds a comment under their post away
    BACK = "back"
    DISMISS = "dismiss"  # a case is closed without an act on the words
    BAD_FAITH = "bad faith"  # a report was made to harm: told to the reporter
    UPHOLD = "uphold"  # an appeal's decision
    SOFTEN = "soften"
    OVERTURN = "overturn"


class TargetKind(StrEnum):
    POST = "post"
    COMMENT = "comment"
    MEMBER = "member"
    HELD = "held"  # a text that waits, filters/models.py
    CASE = "case"
    ACT = "act"


class Rule(Base):
    """One rule of the board. A change retires the row and makes a new one, so that an act keeps the words it was made under."""

    __tablename__ = "rule"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Act(Base):
    """One act. Rows are only ever added: what undoes an act is another act that names it."""

    __tablename__ = "act"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)  # 1, 2, 3 ... without a gap (ActNumber)
    kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))  # None: the board itself (a filter)
    actor_handle: Mapped[str] = mapped_column(String(20))  # "M2", as the log shows it
    person_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))  # whose words or account it concerns; None: nobody's (a dismissed case)
    target_kind: Mapped[str] = mapped_column(String(10))
    target_id: Mapped[int] = mapped_column(BigId)
    rule_id: Mapped[int] = mapped_column(ForeignKey("rule.id"))
    reason: Mapped[str] = mapped_column(String(500))
    scope: Mapped[str] = mapped_column(String(60))  # what it covers, in words: "this comment only"
    until: Mapped[datetime | None] = mapped_column(UTCDateTime)  # when it ends by itself
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("act.id"), unique=True)  # the act that this one ends
    about_id: Mapped[int | None] = mapped_column(ForeignKey("act.id"), index=True)  # the act that this one decides on without ending it
    case_id: Mapped[int | None] = mapped_column(ForeignKey("moderation_case.id", use_alter=True), index=True)  # the case that it answers
    filter_name: Mapped[str | None] = mapped_column(String(60))  # which filter, where the board itself held something
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    rule: Mapped[Rule] = relationship(lazy="raise")

    __table_args__ = (CheckConstraint("length(reason) >= 10", name="reason_given"),)


Index("act_target", Act.target_kind, Act.target_id, Act.id)
Index("act_person", Act.person_id, Act.id)
Index("act_kind", Act.kind, Act.id)
Index("act_rule", Act.rule_id, Act.id)
Index("act_created", Act.created_at, Act.id)


class ActNumber(Base):
    """The last number given: one row, taken with UPDATE in the act's transaction, so a rollback gives it back."""

    __tablename__ = "act_number"

    id: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)
