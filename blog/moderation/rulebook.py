"""The board's rules and their earlier wordings, and the reasons that moderators begin with. What an act was made under stays as it was."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select, update

from blog.acts.models import ActNumber, Rule
from blog.acts.recording import LONGEST_REASON, SHORTEST_REASON
from blog.clock import now
from blog.db import db
from blog.errors import Conflict, Invalid, NotFound
from blog.moderation.models import ReasonTemplate
from blog.permissions import may_moderate, may_set_rules
from blog.viewer import Viewer

LONGEST_TITLE = 120
LONGEST_TEXT = 2000

LONGEST_NAME = 60
# More buttons than this are no help.
MOST_TEMPLATES = 30


@dataclass(slots=True)
class InForce:
    """A rule as it is or was at last, with what it said before, newest first."""

    rule: Rule
    earlier: list[Rule] = field(default_factory=list)


def rules() -> list[InForce]:
    """The rules in force by number, each with its earlier wordings. One statement."""
    return [entry for entry in with_retired() if entry.rule.retired_at is None]


def with_retired() -> list[InForce]:
    """All rules that there ever were, by number: acts name those that hold no longer too. One statement."""
    found: dict[int, InForce] = {}
    for row in db.session.execute(select(Rule).order_by(Rule.number, Rule.id.desc())).scalars():
        if row.number in found:
            found[row.number].earlier.append(row)
        else:
            found[row.number] = InForce(row)
    return list(found.values())


def one(rule_id: int) -> Rule:
    """The rule, if it is in force. One statement. Raises NotFound."""
    row = db.session.execute(select(Rule).where(Rule.id == rule_id, Rule.retired_at.is_(None))).scalar_one_or_none()
    if row is None:
        raise NotFound("There is no such rule in force. It may have been changed meanwhile: the list of rules shows its present words.")
    return row


def add(by: Viewer, *, title: str, text: str) -> Rule:
    """A new rule, under the next number that no rule ever had. The same words twice are one. Raises NotAllowed, Invalid."""
    may_set_rules(by).require()
    title, text = _checked(title, text)
    _one_at_a_time()
    there = db.session.execute(select(Rule).where(Rule.title == title, Rule.text == text, Rule.retired_at.is_(None)).limit(1)).scalar_one_or_none()
    if there is not None:
        return there
    number = (db.session.execute(select(func.max(Rule.number))).scalar_one() or 0) + 1
    return _write(number, title, text)


def change(rule_id: int, by: Viewer, *, title: str, text: str) -> Rule:
    """Other words for a rule, under its number; the earlier ones stay readable, and with the acts made under them. The same words change nothing.

    Raises NotAllowed, Invalid, Conflict (somebody changed or retired it meanwhile).
    """
    may_set_rules(by).require()
    title, text = _checked(title, text)
    _one_at_a_time()
    present = _present(rule_id)
    if (present.title, present.text) == (title, text):
        return present
    present.retired_at = now()
    return _write(present.number, title, text)


def retire(rule_id: int, by: Viewer) -> None:
    """Let a rule hold no longer; its number is never given again. Raises NotAllowed, Conflict (meanwhile, or it is the last one)."""
    may_set_rules(by).require()
    _one_at_a_time()
    present = _present(rule_id)
    if db.session.execute(select(func.count()).select_from(Rule).where(Rule.retired_at.is_(None))).scalar_one() == 1:
        raise Conflict("This is the last rule. Without one nothing could be hidden or reported: write another first.")
    present.retired_at = now()
    db.session.flush()


def _present(rule_id: int) -> Rule:
    row = db.session.execute(select(Rule).where(Rule.id == rule_id).execution_options(populate_existing=True)).scalar_one_or_none()
    if row is None:
        raise NotFound("There is no such rule.")
    if row.retired_at is not None:
        raise Conflict("This rule was changed or retired in the meantime; nothing was saved. The list of rules shows its present words.")
    return row


def _write(number: int, title: str, text: str) -> Rule:
    rule = Rule(number=number, title=title, text=text, created_at=now())
    db.session.add(rule)
    db.session.flush()
    return rule


def _checked(title: str, text: str) -> tuple[str, str]:
    title, text = title.strip(), text.strip()
    if not 0 < len(title) <= LONGEST_TITLE:
        raise Invalid(f"A rule’s line has 1 to {LONGEST_TITLE} characters; this has {len(title)}.", "title")
    if len(text) > LONGEST_TEXT:
        raise Invalid(f"What a rule means may take {LONGEST_TEXT:,} characters; this has {len(text):,}.", "text")
    return title, text


def _one_at_a_time() -> None:
    """Rules change while no act is made and no other rule changes (SQLite: the transaction sees to it)."""
    db.session.execute(select(ActNumber.last).where(ActNumber.id == 1).with_for_update())


# -- reasons to begin with


def templates() -> Sequence[ReasonTemplate]:
    """The reasons in use, by name. One statement."""
    used = select(ReasonTemplate).where(ReasonTemplate.retired_at.is_(None)).order_by(ReasonTemplate.title, ReasonTemplate.id)
    return db.session.execute(used.limit(MOST_TEMPLATES)).scalars().all()


def add_template(by: Viewer, *, title: str, reason: str) -> None:
    """A reason that any moderator may begin with. The same name and words twice are one. Raises NotAllowed, Invalid."""
    may_moderate(by).require()
    title, reason = title.strip(), reason.strip()
    if not 0 < len(title) <= LONGEST_NAME:
        raise Invalid(f"The name has 1 to {LONGEST_NAME} characters; this has {len(title)}.", "title")
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise Invalid(f"A reason has {SHORTEST_REASON} to {LONGEST_REASON} characters; this has {len(reason)}.", "reason")
    _one_at_a_time()
    there = templates()
    if any((row.title, row.reason) == (title, reason) for row in there):
        return
    if len(there) >= MOST_TEMPLATES:
        raise Invalid(f"There are {MOST_TEMPLATES} reasons already. Retire one that nobody uses.", "title")
    db.session.add(ReasonTemplate(title=title, reason=reason))
    db.session.flush()


def retire_template(template_id: int, by: Viewer) -> None:
    """Offer a reason no longer. Twice is once. Raises NotAllowed."""
    may_moderate(by).require()
    db.session.execute(update(ReasonTemplate).where(ReasonTemplate.id == template_id, ReasonTemplate.retired_at.is_(None)).values(retired_at=now()))
