"""Writing an act down: the gapless number, the row, and telling the person, in the transaction of the act's effect. And reading acts back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select, update

from blog.accounts.models import Member
from blog.acts import letters
from blog.acts.models import Act, ActKind, ActNumber, Rule, TargetKind
from blog.acts.words import ANSWERS, AUTHOR, BOARD, DECISIONS, became
from blog.clock import now
from blog.dates import clock_time, day
from blog.db import db
from blog.errors import Conflict, Invalid, NotFound
from blog.notices.models import NoticeKind
from blog.notices.telling import tell
from blog.text.names import is_blank
from blog.viewer import Viewer

# act.number is a plain INTEGER: PostgreSQL refuses to compare it with more.
LARGEST_NUMBER = 2**31 - 1

# Acts of a post's author, who is no moderator there and has no number.
BY_AUTHORS = frozenset({ActKind.ASIDE, ActKind.BACK})

SHORTEST_REASON = 10
LONGEST_REASON = 500


def rules() -> Sequence[Rule]:
    """The rules in force, by number. One statement."""
    return db.session.execute(select(Rule).where(Rule.retired_at.is_(None)).order_by(Rule.number)).scalars().all()


def rule_in_force(rule_id: int) -> Rule:
    """The rule, if it still holds. Raises Invalid."""
    rule = db.session.get(Rule, rule_id)
    if rule is None or rule.retired_at is not None:
        raise Invalid("Choose one of the board’s rules.", "rule")
    return rule


def record(kind: ActKind, by: Viewer | None, *, person_id: int | None, target: tuple[TargetKind, int], rule_id: int, reason: str, scope: str,
           until: datetime | None = None, undoes_id: int | None = None, about_id: int | None = None, case_id: int | None = None,
           filter_name: str | None = None, is_told: bool = True, is_mailed: bool = True) -> Act:
    """Write an act with the next number, and tell the person whom it concerns: a notice, and by mail their receipt. Holds the number's row
    until the transaction ends, so numbers have no gap and no twin.

    `by` None: the board itself (a filter, whose name is given), which sends no mail. Columns as the table tells (acts/models.py). `is_told`
    False: whoever calls tells of it with more than the act, as those who decide appeals always do; `is_mailed` False: so too, but for the notice.

    Raises Invalid for a reason outside 10 to 500 characters, or of invisible ones.
    """
    reason = reason.strip()
    size = 0 if is_blank(reason) else len(reason)
    if not SHORTEST_REASON <= size <= LONGEST_REASON:
        raise Invalid(f"Give a reason of {SHORTEST_REASON} to {LONGEST_REASON} characters; this has {size}.", "reason")
    number = db.session.execute(update(ActNumber).where(ActNumber.id == 1).values(last=ActNumber.last + 1).returning(ActNumber.last)).scalar_one()
    act = Act(number=number, kind=kind.value, actor_id=by.id if by else None, actor_handle=_handle(kind, by), person_id=person_id,
              target_kind=target[0].value, target_id=target[1], rule_id=rule_id, reason=reason, scope=scope, until=until, undoes_id=undoes_id,
              about_id=about_id, case_id=case_id, filter_name=filter_name, created_at=now())
    db.session.add(act)
    db.session.flush()
    if person_id is not None and is_told and kind not in DECISIONS and not (by and by.id == person_id):
        tell(person_id, NoticeKind.ACT, act.id)
        if by is not None and is_mailed:
            letters.ask_to_tell(act, person_id)
    return act


def _handle(kind: ActKind, by: Viewer | None) -> str:
    if by is None:
        return BOARD
    return AUTHOR if kind in BY_AUTHORS else handle(by)


def handle_ahead(kind: ActKind, by: Viewer) -> str:
    """Under which handle this person would act now: the one they have, or the next free one. For showing; one statement."""
    if kind in BY_AUTHORS:
        return AUTHOR
    own = select(Member.moderator_number).where(Member.id == by.id).scalar_subquery()
    highest = select(func.coalesce(func.max(Member.moderator_number), 0)).scalar_subquery()
    number, last = db.session.execute(select(own, highest)).one()
    return f"M{number or last + 1}"


def handle(by: Viewer) -> str:
    """The moderator's name in the log, "M2": given with their first act and kept. Call with the act's number row held."""
    number = db.session.execute(select(Member.moderator_number).where(Member.id == by.id)).scalar_one()
    if number is None:
        number = (db.session.execute(select(func.max(Member.moderator_number))).scalar_one() or 0) + 1
        db.session.execute(update(Member).where(Member.id == by.id).values(moderator_number=number))
    return f"M{number}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """An act as it is told: what, under which rule, why, how far, and what became of it."""

    act: Act
    rule: Rule
    person_name: str | None
    undone_by: Act | None
    undoes: Act | None
    decided_by: Act | None  # what its appeal, or the moderator whom a filter called, came to, where that did not end it
    about: Act | None  # the act that this one decides on


def receipt(number: int) -> Receipt:
    """Act `number` with its rule and what undid it. Two statements. Raises NotFound."""
    if number > LARGEST_NUMBER:
        raise NotFound(f"There is no act {number}.")
    row = db.session.execute(
        select(Act, Rule, Member.display_name).join(Rule, Rule.id == Act.rule_id).outerjoin(Member, Member.id == Act.person_id).where(Act.number == number)
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no act {number}.")
    act, rule, name = row
    related = db.session.execute(
        select(Act).where(or_(Act.undoes_id == act.id, Act.about_id == act.id, Act.id == act.undoes_id, Act.id == act.about_id)).order_by(Act.id)
    ).scalars().all()
    return Receipt(
        act, rule, name,
        undone_by=next((other for other in related if other.undoes_id == act.id), None),
        undoes=next((other for other in related if other.id == act.undoes_id), None),
        decided_by=next((other for other in related if other.about_id == act.id and other.kind in ANSWERS), None),
        about=next((other for other in related if other.id == act.about_id), None),
    )


def several(act_ids: Iterable[int]) -> list[tuple[Act, Rule]]:
    """The acts with their rules, oldest first. One statement, none for no ids."""
    wanted = list(act_ids)
    if not wanted:
        return []
    rows = db.session.execute(select(Act, Rule).join(Rule, Rule.id == Act.rule_id).where(Act.id.in_(wanted)).order_by(Act.id))
    return [(row[0], row[1]) for row in rows]


def of(act_id: int) -> tuple[Act, Rule]:
    """The act that a row points to, with its rule. One statement."""
    row = db.session.execute(select(Act, Rule).join(Rule, Rule.id == Act.rule_id).where(Act.id == act_id)).one()
    return row[0], row[1]


def already(act_id: int, done: str = "", what: str = "This") -> Conflict:
    """What to raise when somebody was faster: who, and when. `done`: "hidden"; unless given, what the act made of another. One statement."""
    act, _ = of(act_id)
    return Conflict(f"{what} is already {done or became(act)}, by {act.actor_handle}, {_ago(act)} (act {act.number}). Nothing was changed.")


def _ago(act: Act) -> str:
    minutes = int((now() - act.created_at).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} minute{'' if minutes == 1 else 's'} ago"
    return f"at {clock_time(act.created_at)}" if minutes < 24 * 60 else f"on {day(act.created_at)}"
