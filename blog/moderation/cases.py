"""Cases: who has one open, what answers it, and telling the reporters. What moderators do from a case is answering.py.

A case's row is taken last, after posts, members and the act's number, so that nobody waits in a circle.
"""

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import aliased

from blog.accounts.models import Member
from blog.acts.models import Act, TargetKind
from blog.clock import now
from blog.dates import clock_time
from blog.db import db
from blog.errors import Conflict, NotFound
from blog.moderation.models import OPEN, Case, CaseState, Report
from blog.moderation.reporting import CLAIM, Target
from blog.notices.models import NoticeKind
from blog.notices.telling import take_back, tell_each
from blog.permissions import may_moderate
from blog.viewer import Viewer


def claim(case_id: int, by: Viewer) -> None:
    """Take an open case for CLAIM, so that nobody else works on it. Again is longer.

    Raises NotAllowed, NotFound (also for whoever wrote what it is about), Conflict (closed, or another moderator has it).
    """
    may_moderate(by).require()
    moment = now()
    free = or_(Case.claimed_by.is_(None), Case.claimed_by == by.id, Case.claimed_at <= moment - CLAIM)
    taken = update(Case).where(Case.id == case_id, OPEN, Case.person_id != by.id, free).values(claimed_by=by.id, claimed_at=moment)
    if not db.session.execute(taken).rowcount:  # type: ignore[attr-defined]
        check_free(case_id, by)
        raise closed(case_id)


def pass_on(case_id: int, by: Viewer) -> None:
    """Leave a case that one has claimed to the others. Twice is once; a case that is not one's own stays as it is. Raises as claim."""
    may_moderate(by).require()
    check_free(case_id, by)
    db.session.execute(update(Case).where(Case.id == case_id, OPEN, Case.claimed_by == by.id).values(claimed_by=None, claimed_at=None))


def check_free(case_id: int, by: Viewer) -> Target:
    """What the case is about. Raises NotFound, or Conflict where another moderator has it open. One statement."""
    who = aliased(Member)
    row = db.session.execute(
        select(Case.target_kind, Case.target_id, Case.person_id, Case.state, Case.claimed_by, Case.claimed_at, who.moderator_number, who.display_name)
        .outerjoin(who, who.id == Case.claimed_by).where(Case.id == case_id)
    ).one_or_none()
    # Who is reported must not learn of it, moderator or not.
    if row is None or row.person_id == by.id:
        raise NotFound(f"There is no case {case_id}.")
    if row.state == CaseState.OPEN and row.claimed_by not in (None, by.id) and now() - row.claimed_at < CLAIM:
        raise Conflict(f"{name(row.moderator_number, row.display_name)} has had this case open since {clock_time(row.claimed_at)}. Nothing was changed.")
    return TargetKind(row.target_kind), row.target_id


def name(moderator_number: int | None, display_name: str) -> str:
    """A moderator among moderators: their handle; who never acted has none yet."""
    return f"M{moderator_number}" if moderator_number else display_name


def answered(target: Target, act: Act) -> int | None:
    """Close the open case on what `act` is about, if there is one; its reporters are told. Gives the case's id. In the act's transaction,
    after its effect; the act then names the case. One statement where there is no case, five where there is."""
    case_id = db.session.execute(select(Case.id).where(Case.target_kind == target[0].value, Case.target_id == target[1], OPEN)).scalar_one_or_none()
    return case_id if case_id is not None and close(case_id, act) else None


def close(case_id: int, act: Act) -> bool:
    """Close this case by `act` and tell its reporters; False if it is closed already. Four statements."""
    moment = now()
    taken = update(Case).where(Case.id == case_id, OPEN).values(state=CaseState.CLOSED.value, closed_at=moment, closed_by=act.id)
    if not db.session.execute(taken, execution_options={"synchronize_session": False}).rowcount:  # type: ignore[attr-defined]
        return False
    act.case_id = case_id
    db.session.flush()
    told = select(Report.reporter_id).where(Report.case_id == case_id, Report.bad_faith_by.is_(None), Report.reporter_id != (act.actor_id or 0))
    tell_each(db.session.execute(told.order_by(Report.reporter_id)).scalars().all(), NoticeKind.REPORT, case_id)
    return True


def reopened(act: Act) -> int | None:
    """Open the case again that `act` had closed, because the act was taken back at once; who has not read of the outcome yet is not told
    of it. Where new reports have opened another case on the same thing, the old one stays closed. Gives the case's id. Four statements at most."""
    of = select(Case.id, Case.target_kind, Case.target_id).where(Case.closed_by == act.id)
    row = db.session.execute(of).one_or_none()
    if row is None:
        return None
    other = select(func.count()).select_from(Case).where(Case.target_kind == row.target_kind, Case.target_id == row.target_id, OPEN)
    if db.session.execute(other).scalar_one():
        return None
    db.session.execute(update(Case).where(Case.id == row.id).values(state=CaseState.OPEN.value, closed_at=None, closed_by=None))
    take_back(NoticeKind.REPORT, row.id)
    return int(row.id)


def closed(case_id: int) -> Conflict:
    """What to raise when somebody was faster: which act closed the case. One statement."""
    row = db.session.execute(select(Act.number, Act.actor_handle, Act.created_at).join(Case, Case.closed_by == Act.id).where(Case.id == case_id)).one_or_none()
    if row is None:
        return Conflict("This case is closed already. Nothing was changed.")
    return Conflict(f"This case is closed already, by {row.actor_handle} at {clock_time(row.created_at)} (act {row.number}). Nothing was changed.")
