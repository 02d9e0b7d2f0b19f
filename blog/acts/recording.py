"""Writing an act down: the gapless number and the row, in the transaction of the act's effect. And reading the rules and acts back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from blog.accounts.models import Member
from blog.acts.models import Act, ActKind, ActNumber, Rule, TargetKind
from blog.clock import now
from blog.db import db
from blog.errors import Invalid, NotFound
from blog.text.names import is_blank
from blog.viewer import Viewer

# act.number is a plain INTEGER: PostgreSQL refuses to compare it with more.
LARGEST_NUMBER = 2**31 - 1

# Who acts where no person does, as the log shows it.
BOARD = "Board"

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
           filter_name: str | None = None) -> Act:
    """Write an act with the next number. Holds the number's row until the transaction ends, so numbers have no gap and no twin.

    `by` None: the board itself (a filter, whose name is given). Columns as the table tells (acts/models.py).

    Raises Invalid for a reason outside 10 to 500 characters, or of invisible ones.
    """
    reason = reason.strip()
    size = 0 if is_blank(reason) else len(reason)
    if not SHORTEST_REASON <= size <= LONGEST_REASON:
        raise Invalid(f"Give a reason of {SHORTEST_REASON} to {LONGEST_REASON} characters; this has {size}.", "reason")
    number = db.session.execute(update(ActNumber).where(ActNumber.id == 1).values(last=ActNumber.last + 1).returning(ActNumber.last)).scalar_one()
    act = Act(number=number, kind=kind.value, actor_id=by.id if by else None, actor_handle=handle(by) if by else BOARD, person_id=person_id,
              target_kind=target[0].value, target_id=target[1], rule_id=rule_id, reason=reason, scope=scope, until=until, undoes_id=undoes_id,
              about_id=about_id, case_id=case_id, filter_name=filter_name, created_at=now())
    db.session.add(act)
    db.session.flush()
    return act


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
    related = db.session.execute(select(Act).where((Act.undoes_id == act.id) | (Act.id == act.undoes_id))).scalars().all()
    undone_by = next((other for other in related if other.undoes_id == act.id), None)
    undoes = next((other for other in related if other.id == act.undoes_id), None)
    return Receipt(act, rule, name, undone_by, undoes)


def of(act_id: int) -> tuple[Act, Rule]:
    """The act that a row points to, with its rule. One statement."""
    row = db.session.execute(select(Act, Rule).join(Rule, Rule.id == Act.rule_id).where(Act.id == act_id)).one()
    return row[0], row[1]
