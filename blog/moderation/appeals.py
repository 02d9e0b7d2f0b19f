"""Appeals: one for each act, filed by the person concerned, decided by another moderator than the one who acted. Filing, talking, deciding.

The decision is an act itself. Overturning undoes what the act did, in the decision's own transaction (lifting.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from blog.accounts.models import Member, Role
from blog.acts import recording, words
from blog.acts.models import Act, ActKind, Rule, TargetKind
from blog.clock import now
from blog.db import db
from blog.errors import Conflict, Gone, Invalid, NotFound
from blog.moderation import letters, lifting, log
from blog.moderation.models import APPEAL_OPEN, Appeal, AppealMessage, AppealState, Case, Outcome, Report
from blog.notices.models import NoticeKind
from blog.notices.telling import tell, tell_each
from blog.paging import read_cursor
from blog.permissions import APPEAL_DAYS, Ruling, may_appeal, may_decide
from blog.viewer import Viewer

SHORTEST, LONGEST = 10, 4000
LONGEST_MESSAGE = 2000
# What two people have not settled with so many, one of them decides.
MOST_MESSAGES = 60

PAGE = 20

DECISIONS = {Outcome.UPHOLD: ActKind.UPHOLD, Outcome.SOFTEN: ActKind.SOFTEN, Outcome.OVERTURN: ActKind.OVERTURN}
DONE = {Outcome.UPHOLD: "upheld", Outcome.SOFTEN: "softened", Outcome.OVERTURN: "overturned"}


# -- deeds


def file(number: int, person_id: int, statement: str) -> None:
    """Appeal against act `number` as the person concerned: a member, or whom a signed link stands for. Whoever acted is told.

    Raises NotFound, NotAllowed (not theirs, nothing to appeal, too late), Invalid, Conflict (appealed already, or taken back meanwhile).
    """
    statement = statement.strip()
    if not SHORTEST <= len(statement) <= LONGEST:
        raise Invalid(f"Say in {SHORTEST} to {LONGEST:,} characters what was missed; this has {len(statement):,}.", "statement")
    act = _locked(number)
    may_appeal(person_id, act, now()).require()
    filed_at = db.session.execute(select(Appeal.filed_at).where(Appeal.act_id == act.id)).scalar_one_or_none()
    if filed_at is not None:
        raise Conflict("You have appealed against this act already; one appeal is possible, and it stands below. Nothing was changed.", mine=statement)
    undone_by = _undone_by(act)
    if undone_by:
        raise Conflict(f"This act was taken back meanwhile, by act {undone_by}, so there is nothing left to appeal.", mine=statement)
    db.session.add(Appeal(act_id=act.id, person_id=person_id, statement=statement, filed_at=now()))
    db.session.flush()
    if act.actor_id is not None:
        tell(act.actor_id, NoticeKind.APPEALED, act.id, by_id=person_id)


def say(number: int, by: Viewer, person_id: int, body: str, submission_id: str | None = None) -> None:
    """A message in the appeal against act `number`: from the person concerned (`person_id`, signed in or by their link), or from a moderator
    who may decide it (`by`). The other side is told: the person by notice and mail, else the moderator who wrote to them first. A form sent
    again is one message.

    Raises NotFound, NotAllowed, Gone (it is decided), Invalid.
    """
    body = body.strip()
    if not 1 <= len(body) <= LONGEST_MESSAGE:
        raise Invalid(f"A message has 1 to {LONGEST_MESSAGE:,} characters; this has {len(body):,}.", "body")
    act = _locked(number)
    appeal = _open(act)
    is_person = person_id == act.person_id
    author_id = person_id if is_person else by.id
    if not is_person:
        may_decide(by, act, alone(act), reported_id(act)).require()
    if submission_id:
        sent = select(AppealMessage.id).where(AppealMessage.author_id == author_id, AppealMessage.submission_id == submission_id)
        if db.session.execute(sent).first() is not None:
            return
    written = db.session.execute(select(func.count(AppealMessage.id)).where(AppealMessage.appeal_id == appeal.id)).scalar_one()
    if written >= MOST_MESSAGES:
        raise Invalid(f"{MOST_MESSAGES} messages are written; what is left to say belongs into the decision.", "body")
    db.session.add(AppealMessage(appeal_id=appeal.id, author_id=author_id, body=body, submission_id=submission_id, created_at=now()))
    db.session.flush()
    if is_person:
        if appeal.claimed_by is not None:
            tell(appeal.claimed_by, NoticeKind.MESSAGE, act.id, by_id=author_id)
        return
    if appeal.claimed_by is None:
        appeal.claimed_by = by.id
    if act.person_id is not None:
        tell(act.person_id, NoticeKind.MESSAGE, act.id, by_id=author_id)
        letters.ask_to_answer(appeal.id, act.person_id)


def decide(number: int, by: Viewer, *, outcome: Outcome, reason: str, until: datetime | None = None) -> Act:
    """Decide the appeal against act `number`; gives the act of the decision. Overturned, everything is as if the act had not been. The
    appellant is told by notice and mail, whoever acted by notice, and where it changes what came of reports, who made them.

    `until`: the new end, where softening means an earlier one. Raises NotFound (no appeal), NotAllowed, Invalid, Conflict (decided already).
    """
    act = _locked(number)
    appeal = _of(act)
    may_decide(by, act, alone(act), reported_id(act)).require()
    if appeal.decided_by is not None and appeal.outcome is not None:
        decision, _ = recording.of(appeal.decided_by)
        done = DONE[Outcome(appeal.outcome)]
        raise Conflict(f"This appeal is decided already: {done} by {decision.actor_handle} (act {decision.number}). Nothing was changed.")
    decision = _decision(act, by, outcome, reason, until)
    appeal.state, appeal.outcome = AppealState.DECIDED.value, outcome.value
    appeal.decided_by, appeal.decided_at = decision.id, decision.created_at
    db.session.flush()
    tell(appeal.person_id, NoticeKind.APPEAL, decision.id, by_id=by.id)
    letters.ask_to_tell_decision(appeal.id, appeal.person_id)
    if act.actor_id is not None:
        tell(act.actor_id, NoticeKind.APPEALED, decision.id, by_id=by.id)
    if outcome != Outcome.UPHOLD:
        _tell_reporters(act, by)
    return decision


def _tell_reporters(act: Act, by: Viewer) -> None:
    """What they had been told of a case that `act` closed holds no longer. Two statements at most."""
    told: Any = (
        select(Report.case_id, Report.reporter_id).join(Case, Case.id == Report.case_id)
        .where(Case.closed_by == act.id, Report.bad_faith_by.is_(None), Report.reporter_id != by.id).order_by(Report.reporter_id)
    )
    rows = db.session.execute(told).all()
    if rows:
        tell_each([row.reporter_id for row in rows], NoticeKind.REPORT, rows[0].case_id)


def _decision(act: Act, by: Viewer, outcome: Outcome, reason: str, until: datetime | None) -> Act:
    if outcome == Outcome.SOFTEN:
        return lifting.soften(act, by, reason, until=until)
    if outcome == Outcome.OVERTURN and not _undone_by(act):
        return lifting.lift(act, ActKind.OVERTURN, by, reason)
    # Upheld; or taken back already while the appeal waited, so that nothing is left to undo and the decision only says who was right.
    return recording.record(DECISIONS[outcome], by, person_id=act.person_id, target=(TargetKind(act.target_kind), act.target_id), rule_id=act.rule_id,
                            reason=reason, scope=act.scope, about_id=act.id)


def _locked(number: int) -> Act:
    """The act, held against another appeal or decision. Raises NotFound."""
    found = None
    if number <= recording.LARGEST_NUMBER:
        found = db.session.execute(select(Act).where(Act.number == number).with_for_update(key_share=True)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"There is no act {number}.")
    return found


def _of(act: Act) -> Appeal:
    found = db.session.execute(select(Appeal).where(Appeal.act_id == act.id)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"Nobody has appealed against act {act.number}.")
    return found


def _open(act: Act) -> Appeal:
    found = _of(act)
    if found.state != AppealState.OPEN.value:
        raise Gone("This appeal is decided, so it takes no more messages.")
    return found


def _undone_by(act: Act) -> int:
    """The number of the act that ended this one, 0 for none."""
    return db.session.execute(select(Act.number).where(Act.undoes_id == act.id)).scalar_one_or_none() or 0


def reported_id(act: Act) -> int:
    """Whose words the report was about, for an act about a report; 0 for any other. One statement at most."""
    if act.kind != ActKind.BAD_FAITH or act.case_id is None:
        return 0
    return db.session.execute(select(Case.person_id).where(Case.id == act.case_id)).scalar_one()


def alone(act: Act) -> bool:
    """Whether nobody besides the one who acted and the one concerned could decide. One statement."""
    others = select(Member.id).where(Member.role >= Role.MODERATOR, *(Member.id != member_id for member_id in (act.actor_id, act.person_id) if member_id))
    return db.session.execute(others.limit(1)).first() is None


def who_decides(act: Act, is_alone: bool) -> str:
    """Who will decide, as a sentence for the appellant and for moderators. `is_alone`: `alone` of the act. One statement at most."""
    if not is_alone:
        return f"Another moderator decides, not {act.actor_handle}." if act.actor_handle.startswith("M") else "A moderator decides."
    role = db.session.execute(select(Member.role).where(Member.id == act.actor_id)).scalar_one_or_none()
    if role is not None and role >= Role.ADMINISTRATOR:
        return f"There is no other moderator on this board, so the administrator decides, who is {act.actor_handle} too."
    return "There is no other moderator on this board so far; the administrator has to name one before anybody can decide."


# -- readings


@dataclass(frozen=True, slots=True)
class Message:
    """A line in an appeal. `by` is how its writer is called there: never by name."""

    id: int
    by: str
    by_person: bool
    body: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """An appeal as the person concerned and moderators read it."""

    statement: str
    filed_at: datetime
    is_open: bool
    outcome: Outcome | None
    decided_at: datetime | None
    decision: int  # number of the act of the decision, 0 for none
    decided_by: str  # handle
    decision_reason: str
    until: datetime | None  # the end that it was softened to
    messages: Sequence[Message]

    @property
    def done(self) -> str:
        """What it came to, in a word."""
        return DONE[self.outcome] if self.outcome else ""


_DECISION = aliased(Act)


def of(act: Act, *, with_messages: bool = True) -> Seen | None:
    """The appeal against this act, None where there is none. Two statements at most."""
    row: Any = db.session.execute(
        select(Appeal, _DECISION).outerjoin(_DECISION, _DECISION.id == Appeal.decided_by).where(Appeal.act_id == act.id)
    ).one_or_none()
    if row is None:
        return None
    appeal, decision = row
    written: Any = (
        select(AppealMessage.id, AppealMessage.author_id, AppealMessage.body, AppealMessage.created_at, Member.moderator_number)
        .join(Member, Member.id == AppealMessage.author_id).where(AppealMessage.appeal_id == appeal.id).order_by(AppealMessage.id).limit(MOST_MESSAGES)
    )
    messages = [_message(line, act) for line in db.session.execute(written)] if with_messages else []
    return Seen(
        statement=appeal.statement, filed_at=appeal.filed_at, is_open=appeal.state == AppealState.OPEN.value,
        outcome=Outcome(appeal.outcome) if appeal.outcome else None, decided_at=appeal.decided_at, decision=decision.number if decision else 0,
        decided_by=words.actor_words(decision) if decision else "", decision_reason=decision.reason if decision else "",
        until=decision.until if decision else None, messages=messages,
    )


def _message(line: Any, act: Act) -> Message:
    by_person = line.author_id == act.person_id
    by = "" if by_person else f"M{line.moderator_number}" if line.moderator_number else "A moderator"
    return Message(line.id, by, by_person, line.body, line.created_at)


@dataclass(frozen=True, slots=True)
class Place:
    """Everything that the appeal's part of an act's page shows to one reader."""

    act: Act
    own: bool  # the reader is the person concerned
    key: str  # of the signed link that they came by, "" for a member
    appeal: Seen | None
    may_appeal: Ruling | None  # of the person concerned, while there is no appeal
    may_decide: Ruling | None  # of a moderator
    who_decides: str  # "" where nothing waits to be decided
    softening: str  # how the act could be made less (lifting.py)
    until: datetime  # the last day for an appeal
    median_hours: float | None  # to a decision

    @property
    def is_shown(self) -> bool:
        """Whether there is anything for this reader."""
        return self.own or (self.may_decide is not None and self.appeal is not None)

    @property
    def is_open(self) -> bool:
        return self.appeal is not None and self.appeal.is_open

    def address(self, what: str) -> str:
        """Where a form of this part is sent, with the key that opened the page."""
        return f"/acts/{self.act.number}/{what}{f'?key={self.key}' if self.key else ''}"


def place(act: Act, by: Viewer, *, own: bool = False, key: str = "") -> Place:
    """The appeal's part of the page of this act. `own`: the reader is the person concerned, signed in or by `key`. Six statements at most."""
    appeal = of(act, with_messages=own or by.is_moderator)
    appealing = may_appeal(act.person_id or 0, act, now()) if own and appeal is None else None
    if appealing and _undone_by(act):
        appealing = Ruling(False, "")
    waits = appealing or (appeal is not None and appeal.is_open)
    decides = by.is_moderator and not own and appeal is not None and reported_id(act) != by.id
    is_alone = alone(act) if waits or decides else False
    return Place(
        act=act, own=own, key=key, appeal=appeal, may_appeal=appealing, may_decide=may_decide(by, act, is_alone) if decides else None,
        who_decides=who_decides(act, is_alone) if waits else "",
        softening=lifting.softening(act), until=act.created_at + timedelta(days=APPEAL_DAYS),
        median_hours=log.median_hours(log.Asked()) if appealing else None,
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """An appeal in the moderators' list."""

    id: int
    number: int
    was: str  # "A comment was hidden"
    by: str  # who acted
    rule_number: int
    reason: str
    statement: str
    filed_at: datetime
    messages: int
    is_own: bool  # whether the viewer acted, or is the one concerned: then another decides
    claimed_by_other: bool


def waiting(by: Viewer, after: str | None = None) -> tuple[list[Waiting], str]:
    """Open appeals, oldest first, and the cursor of the next page ("" if there is none). One statement. Raises Malformed for a bad cursor."""
    written = select(func.count(AppealMessage.id)).where(AppealMessage.appeal_id == Appeal.id).scalar_subquery()
    asked: Any = (
        select(Appeal.id, Appeal.statement, Appeal.filed_at, Appeal.claimed_by, Appeal.person_id, Act, Rule.number, written.label("messages"))
        .join(Act, Act.id == Appeal.act_id).join(Rule, Rule.id == Act.rule_id).outerjoin(Case, (Case.id == Act.case_id) & (Act.kind == ActKind.BAD_FAITH.value))
        .where(APPEAL_OPEN, or_(Case.id.is_(None), Case.person_id != by.id))  # who reported one's own words is nobody's to learn
    )
    parts = read_cursor(after)
    if parts is not None:
        asked = asked.where(Appeal.id > parts[0])
    rows = db.session.execute(asked.order_by(Appeal.id).limit(PAGE + 1)).all()
    shown = [
        Waiting(row.id, row.Act.number, words.passive(row.Act, False), words.actor_words(row.Act), row.number, row.Act.reason, row.statement,
                row.filed_at, row.messages, by.id in (row.Act.actor_id, row.person_id), row.claimed_by not in (None, by.id))
        for row in rows[:PAGE]
    ]
    return shown, str(shown[-1].id) if len(rows) > PAGE else ""
