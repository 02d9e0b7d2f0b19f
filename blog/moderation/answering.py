"""What moderators do from a case: hide, warn, dismiss, call a report bad faith, hide several together, take back at once. Effect, act and the
reporters' notice in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update

from blog.acts import recording
from blog.acts.models import Act, ActKind, TargetKind
from blog.clock import now
from blog.comments import counting
from blog.comments.models import Comment
from blog.db import db
from blog.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from blog.moderation import cases, hiding, lifting, sanctioning
from blog.moderation.models import Case, Report
from blog.permissions import may_moderate
from blog.viewer import Viewer

REPORTS = "the reports of this case"
ONE_REPORT = "one report"

# As many as a page of the queue shows.
MOST_TOGETHER = 20


def hide(case_id: int, by: Viewer, *, rule_id: int, reason: str, with_replies: bool = False) -> Act:
    """Hide what the case is about, a comment with all below it if so wanted; that closes it.

    Raises NotAllowed, NotFound, Invalid, Conflict (another moderator has the case, hid the words or closed the case first).
    """
    may_moderate(by).require()
    kind, target_id = cases.check_free(case_id, by)
    if kind is TargetKind.POST:
        act = hiding.hide_post(target_id, by, rule_id=rule_id, reason=reason)
    else:
        act = hiding.hide_comment(target_id, by, rule_id=rule_id, reason=reason, with_replies=with_replies)
    if act.case_id != case_id:
        raise cases.closed(case_id)  # dismissed a moment ago: the hiding is rolled back with this transaction
    return act


def warn(case_id: int, by: Viewer, *, rule_id: int, reason: str) -> Act:
    """Warn whoever wrote what the case is about, and leave the words as they are; that closes it. Raises as hide."""
    may_moderate(by).require()
    target = cases.check_free(case_id, by)
    person_id = db.session.execute(select(Case.person_id).where(Case.id == case_id)).scalar_one()
    act = sanctioning.warn(person_id, by, rule_id=rule_id, reason=reason, about=target)
    if act.case_id != case_id:
        raise cases.closed(case_id)
    return act


def dismiss(case_id: int, by: Viewer, *, rule_id: int, reason: str) -> Act:
    """Close the case and leave the words as they are. Raises as hide."""
    may_moderate(by).require()
    cases.check_free(case_id, by)
    rule = recording.rule_in_force(rule_id)
    act = recording.record(ActKind.DISMISS, by, person_id=None, target=(TargetKind.CASE, case_id), rule_id=rule.id, reason=reason, scope=REPORTS)
    if not cases.close(case_id, act):
        raise cases.closed(case_id)
    return act


def call_bad_faith(case_id: int, by: Viewer, *, report_id: int, rule_id: int, reason: str) -> Act:
    """Dismiss one report as made to harm: its reporter is told and may appeal. Where it was the last one, the case is closed by it.

    Raises as hide, and Conflict where the report is dismissed so already.
    """
    may_moderate(by).require()
    cases.check_free(case_id, by)
    reporter_id = db.session.execute(select(Report.reporter_id).where(Report.id == report_id, Report.case_id == case_id)).scalar_one_or_none()
    if reporter_id is None:
        raise NotFound("There is no such report in this case.")
    if reporter_id == by.id:
        raise NotAllowed("This is your own report: another moderator must decide.")
    rule = recording.rule_in_force(rule_id)
    act = recording.record(ActKind.BAD_FAITH, by, person_id=reporter_id, target=(TargetKind.CASE, case_id), rule_id=rule.id, reason=reason,
                           scope=ONE_REPORT, case_id=case_id)
    marked = update(Report).where(Report.id == report_id, Report.bad_faith_by.is_(None)).values(bad_faith_by=act.id)
    if not db.session.execute(marked).rowcount:  # type: ignore[attr-defined]
        raise Conflict("This report is dismissed as made in bad faith already. Nothing was changed.")
    left = select(func.count()).select_from(Report).where(Report.case_id == case_id, Report.bad_faith_by.is_(None))
    if not db.session.execute(left).scalar_one():
        cases.close(case_id, act)
    return act


@dataclass(frozen=True, slots=True)
class Together:
    """What came of hiding several: the acts, and why the others were left as they are."""

    acts: list[Act]
    left: list[str]


def hide_together(case_ids: Sequence[int], by: Viewer, *, rule_id: int, reason: str) -> Together:
    """Hide what several cases are about, with one rule and reason; an act for each. Those that somebody answered meanwhile are left.

    Raises NotAllowed, Invalid (no rule, no reason, nothing chosen, too many).
    """
    may_moderate(by).require()
    if not 0 < len(case_ids) <= MOST_TOGETHER:
        raise Invalid(f"Choose one to {MOST_TOGETHER} cases." if case_ids else "No case is chosen. Go back to the queue and tick some.", "case")
    recording.rule_in_force(rule_id)
    # All threads first, in one order: two moderators who chose the same never wait for each other.
    for post_id in _posts_of(case_ids):
        counting.lock_post(post_id)
    acts, left = [], []
    for case_id in case_ids:
        try:
            with db.session.begin_nested():  # a case that was dismissed meanwhile takes its own hiding back, and no other
                acts.append(hide(case_id, by, rule_id=rule_id, reason=reason))
        except (Conflict, Gone, NotAllowed, NotFound) as refusal:
            left.append(f"Case {case_id}: {refusal.sentence}")
    return Together(acts, left)


def _posts_of(case_ids: Sequence[int]) -> list[int]:
    """The posts whose threads hold what the cases are about, by id. One statement."""
    post_id = func.coalesce(Comment.post_id, Case.target_id)
    on = Case.target_kind == TargetKind.COMMENT.value
    asked = select(post_id).select_from(Case).outerjoin(Comment, on & (Comment.id == Case.target_id)).where(Case.id.in_(case_ids)).distinct()
    return sorted(db.session.execute(asked).scalars())


def take_back(numbers: Sequence[int], by: Viewer) -> list[int]:
    """Take one's own acts back right after them, without giving a reason; the cases that they closed are open again. Gives their ids.

    Raises NotFound, NotAllowed (another's act), Conflict (too late, or taken back already).
    """
    may_moderate(by).require()
    if len(numbers) > MOST_TOGETHER:
        raise Invalid(f"{MOST_TOGETHER} acts at most are taken back together.")
    acts = db.session.execute(select(Act).where(Act.number.in_(numbers)).order_by(Act.target_kind, Act.target_id)).scalars().all()
    if len(acts) != len(set(numbers)):
        raise NotFound("There is no such act.")
    for post_id in _posts_of([act.case_id for act in acts if act.case_id is not None]):
        counting.lock_post(post_id)
    for act in acts:
        _take_back(act, by)
    return [act.case_id for act in acts if act.case_id is not None]


# What takes an act back.
BACK = {ActKind.HIDE: ActKind.UNHIDE, ActKind.DISMISS: ActKind.REOPEN, ActKind.BAD_FAITH: ActKind.REOPEN}


def _take_back(act: Act, by: Viewer) -> None:
    if act.actor_id != by.id:
        raise NotAllowed("This is another moderator’s act.")
    if ActKind(act.kind) not in BACK:
        raise Conflict(f"Act {act.number} can’t be taken back from here.")
    if (now() - act.created_at).total_seconds() > lifting.UNDO_SECONDS:
        raise Conflict(f"Act {act.number} can’t be taken back without a reason any more. Open the act to undo it with one.")
    lifting.lift(act, BACK[ActKind(act.kind)], by, "")
