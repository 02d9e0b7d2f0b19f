"""The public log: every act in order, with its rule and reason and what became of it; and the figures that recompute from its lines.

Nobody's name and nobody's words stand in it: a moderator's handle does, or their name where the board says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Integer, and_, case, cast, func, or_, select
from sqlalchemy.orm import aliased

from blog.accounts.models import Member
from blog.acts import words
from blog.acts.models import Act, ActKind, Rule, TargetKind
from blog.clock import now
from blog.config import settings
from blog.dates import midnight
from blog.db import db
from blog.moderation.models import Appeal, AppealState, Outcome
from blog.paging import read_cursor
from blog.permissions import APPEAL_DAYS, APPEALABLE

PAGE = 30

# What the figures look back on, where no period is asked for.
DAYS = 90

# Kinds as they are chosen from, in an order of their weight.
KINDS = {
    ActKind.HIDE: "Hidden", ActKind.UNHIDE: "Brought back", ActKind.LOCK: "Discussion locked", ActKind.UNLOCK: "Discussion unlocked",
    ActKind.CLOSE: "Closed to comments", ActKind.REOPEN: "Opened to comments again", ActKind.SLOW: "Slowed down", ActKind.UNSLOW: "Own pace again",
    ActKind.WARN: "Warned", ActKind.SUSPEND: "Suspended", ActKind.LIFT: "Suspension lifted", ActKind.HOLD: "Held for approval",
    ActKind.APPROVE: "Approved", ActKind.REJECT: "Rejected", ActKind.REDACT: "Words taken out", ActKind.ASIDE: "Put aside", ActKind.BACK: "Unfolded",
    ActKind.DISMISS: "Reports dismissed", ActKind.BAD_FAITH: "Report in bad faith", ActKind.UPHOLD: "Upheld on appeal",
    ActKind.SOFTEN: "Softened on appeal", ActKind.OVERTURN: "Overturned on appeal",
}

# Outcomes that can be asked for, in words.
OUTCOMES = {
    "appealed": "Appealed", "open": "Appeal not decided", "upheld": "Upheld", "softened": "Softened", "overturned": "Overturned",
    "lifted": "Taken back without appeal",
}

_DECIDED = {"upheld": Outcome.UPHOLD, "softened": Outcome.SOFTEN, "overturned": Outcome.OVERTURN}


@dataclass(frozen=True, slots=True)
class Asked:
    """What part of the log is asked for. None asks for all."""

    kind: ActKind | None = None
    rule: int | None = None  # by number: a rule whose words changed keeps it
    outcome: str = ""
    since: date | None = None  # days in the viewer's zone, both included
    until: date | None = None

    @property
    def has_period(self) -> bool:
        return self.since is not None or self.until is not None


@dataclass(frozen=True, slots=True)
class Line:
    """An act as the log and notices tell it."""

    id: int
    number: int
    kind: ActKind
    created_at: datetime
    person_id: int | None
    by: str  # who acted, as the log names them
    did: str  # "M1 hid a comment"
    happened: str  # to the person concerned: "Your comment was hidden"
    was: str  # to everybody: "A comment was hidden"
    rule_number: int
    rule_title: str
    reason: str  # "" where it was taken out
    redacted_by: int  # number of the act that took the reason out, 0 for none
    filter_name: str | None
    until: datetime | None
    about: int  # number of the act that this one ends or decides on, 0 for none
    undone_by: int  # number of the act that ended this one, 0 for none
    undone_how: ActKind | None
    appealed_at: datetime | None  # the appeal against this act
    decided_at: datetime | None
    decided_by: int
    outcome: Outcome | None
    decides_since: datetime | None  # of a decision: when the appeal that it decides was filed
    told: bool = False

    @property
    def hours(self) -> float | None:
        """From the appeal to its decision, of whole seconds: what the times on the page give. Both of an act and of its decision."""
        begun, ended = (self.decides_since, self.created_at) if self.decides_since else (self.appealed_at, self.decided_at)
        if begun is None or ended is None:
            return None
        return (ended.replace(microsecond=0) - begun.replace(microsecond=0)).total_seconds() / 3600

    @property
    def is_over(self) -> bool:
        """Whether it ended by itself."""
        return self.until is not None and self.until <= now()

    @property
    def appeal_until(self) -> datetime | None:
        """Until when the person concerned may still appeal; None where they may not, or have."""
        ends = self.created_at + timedelta(days=APPEAL_DAYS)
        free = self.person_id is not None and self.kind in APPEALABLE and self.appealed_at is None and not self.undone_by
        return ends if free and ends > now() else None


@dataclass(frozen=True, slots=True)
class Figures:
    """What the lines come to. `appealed` and `overturned` are shares of all acts counted."""

    acts: int
    appealed: int
    overturned: int
    median_hours: float | None  # from an appeal to its decision
    asked: Asked = field(default_factory=Asked)

    def share(self, count: int) -> int:
        """`count` of the acts, as whole per cent."""
        return round(100 * count / self.acts) if self.acts else 0


_UNDONE, _ABOUT, _DECISION, _REDACTED = aliased(Act), aliased(Act), aliased(Act), aliased(Act)
_DECIDES = aliased(Appeal)
# What an act ends, decides on, or (where words are taken out of an act) is about.
_ENDED = func.coalesce(Act.undoes_id, Act.about_id, case((Act.target_kind == TargetKind.ACT.value, Act.target_id)))

_BY_REDACTING: Any = (
    select(func.min(_REDACTED.number))
    .where(_REDACTED.target_kind == TargetKind.ACT.value, _REDACTED.target_id == Act.id, _REDACTED.kind == ActKind.REDACT.value)
    .scalar_subquery()
)

_LINES: Any = (
    select(
        Act.id, Act.number, Act.kind, Act.actor_id, Act.actor_handle, Act.target_kind, Act.person_id, Act.created_at, Act.reason, Act.until, Act.filter_name,
        Rule.number.label("rule_number"), Rule.title.label("rule_title"), Member.display_name, _BY_REDACTING.label("redacted_by"),
        _UNDONE.number.label("undone_by"), _UNDONE.kind.label("undone_how"), _ABOUT.number.label("about"), Appeal.filed_at, Appeal.decided_at, Appeal.outcome,
        _DECISION.number.label("decided_by"), _DECIDES.filed_at.label("decides_since"),
    )
    .join(Rule, Rule.id == Act.rule_id)
    .outerjoin(Member, Member.id == Act.actor_id)
    .outerjoin(_UNDONE, _UNDONE.undoes_id == Act.id)
    .outerjoin(_ABOUT, _ABOUT.id == _ENDED)
    .outerjoin(Appeal, Appeal.act_id == Act.id)
    .outerjoin(_DECISION, _DECISION.id == Appeal.decided_by)
    .outerjoin(_DECIDES, and_(_DECIDES.act_id == _ENDED, _DECIDES.decided_by == Act.id))
)


def page(asked: Asked, after: str | None = None) -> tuple[list[Line], str]:
    """A page of the log, newest first, and the cursor of the next ("" if there is none). One statement. Raises Malformed for a bad cursor."""
    lines = _LINES.where(*_conditions(asked))
    parts = read_cursor(after)
    if parts is not None:
        lines = lines.where(Act.id < parts[0])
    rows = db.session.execute(lines.order_by(Act.id.desc()).limit(PAGE + 1)).all()
    shown = [_line(row) for row in rows[:PAGE]]
    return shown, str(shown[-1].id) if len(rows) > PAGE else ""


def of(ids: Iterable[int]) -> dict[int, Line]:
    """The acts with these ids. One statement, none for no ids."""
    wanted = set(ids)
    return {row.id: _line(row) for row in db.session.execute(_LINES.where(Act.id.in_(wanted)))} if wanted else {}


def figures(asked: Asked) -> Figures:
    """The figures over what is asked for: in its period, else in the last DAYS days. Two statements."""
    counted: Any = (
        select(func.count(Act.id), func.count(Appeal.id), func.count(case((Appeal.outcome == Outcome.OVERTURN.value, 1))))
        .select_from(Act).outerjoin(Appeal, Appeal.act_id == Act.id).where(*_counted(asked))
    )
    acts, appealed, overturned = db.session.execute(counted).one()
    return Figures(acts, appealed, overturned, median_hours(asked), asked)


def median_hours(asked: Asked) -> float | None:
    """The middle of the hours from appeal to decision, over what `figures` counts; None where nothing was decided. One statement."""
    took = (_seconds(Appeal.decided_at) - _seconds(Appeal.filed_at)).label("took")
    places: Any = (
        select(took, func.row_number().over(order_by=took).label("place"), func.count().over().label("together"))
        .select_from(Act).join(Appeal, Appeal.act_id == Act.id).where(Appeal.state == AppealState.DECIDED.value, *_counted(asked)).subquery()
    )
    # The one in the middle, or the two: places count from 1.
    middle = select(func.avg(places.c.took)).where(or_(places.c.place * 2 == places.c.together, places.c.place * 2 == places.c.together + 1,
                                                      places.c.place * 2 == places.c.together + 2))
    median = db.session.execute(middle).scalar_one()
    return float(median) / 3600 if median is not None else None


def _seconds(moment: Any) -> Any:
    """An instant as whole seconds since 1970, as the page shows it."""
    if db.session.get_bind().dialect.name == "postgresql":
        return cast(func.floor(func.extract("epoch", moment)), Integer)
    return cast(func.strftime("%s", moment), Integer)


def _counted(asked: Asked) -> list[Any]:
    conditions = _conditions(asked)
    return conditions if asked.has_period else [*conditions, Act.created_at > now() - timedelta(days=DAYS)]


def _conditions(asked: Asked) -> list[Any]:
    """What is asked for, on acts with their appeals."""
    found: list[Any] = []
    if asked.kind is not None:
        found.append(Act.kind == asked.kind.value)
    if asked.rule is not None:
        found.append(Act.rule_id.in_(select(Rule.id).where(Rule.number == asked.rule)))
    if asked.since is not None:
        found.append(Act.created_at >= midnight(asked.since))
    if asked.until is not None:
        found.append(Act.created_at < midnight(asked.until + timedelta(days=1)))
    if asked.outcome in _DECIDED:
        found.append(Appeal.outcome == _DECIDED[asked.outcome].value)
    elif asked.outcome == "appealed":
        found.append(Appeal.id.is_not(None))
    elif asked.outcome == "open":
        found.append(Appeal.state == AppealState.OPEN.value)
    elif asked.outcome == "lifted":
        ended = aliased(Act)
        found.append(select(ended.id).where(ended.undoes_id == Act.id, ended.kind != ActKind.OVERTURN.value).exists())
    return found


def _line(row: Any) -> Line:
    about = row.about or 0
    who = row.display_name if settings().log_names and row.actor_id is not None and row.actor_handle != words.AUTHOR else ""
    return Line(
        id=row.id, number=row.number, kind=ActKind(row.kind), created_at=row.created_at, person_id=row.person_id,
        by=who or words.actor_words(row), did=words.active(row, who=who, about=about), happened=words.passive(row, True, about=about),
        was=words.passive(row, False, about=about),
        rule_number=row.rule_number, rule_title=row.rule_title, reason="" if row.redacted_by else row.reason, redacted_by=row.redacted_by or 0,
        filter_name=row.filter_name, until=row.until, about=about, undone_by=row.undone_by or 0,
        undone_how=ActKind(row.undone_how) if row.undone_how else None, appealed_at=row.filed_at, decided_at=row.decided_at,
        decided_by=row.decided_by or 0, outcome=Outcome(row.outcome) if row.outcome else None, decides_since=row.decides_since,
        told=row.person_id is not None and row.person_id != row.actor_id,
    )
