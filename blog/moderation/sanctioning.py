"""What moderators do about a person rather than a text: warn, suspend, lift. A warning takes nothing; a suspension leaves reading, export, appeal
and leaving. Nobody is ever shown less than they know of: no shadow bans."""

from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from blog.accounts.models import Member
from blog.acts import recording
from blog.acts.models import Act, ActKind, TargetKind
from blog.clock import now
from blog.db import db
from blog.errors import Conflict, Invalid
from blog.moderation import cases, ending, lifting, targets
from blog.permissions import may_act_on_member
from blog.viewer import Viewer

# A second warning about the same within this time is a second press, or a second moderator who had not seen the first.
SAME_WARNING = timedelta(minutes=10)


def warn(member_id: int, by: Viewer, *, rule_id: int, reason: str, about: tuple[TargetKind, int] | None = None) -> Act:
    """Warn a member, of something they wrote (`about`) or in general. It changes nothing but is told, counted and can be appealed.

    Raises NotFound, NotAllowed, Invalid (rule, reason), Conflict (warned of the same a moment ago).
    """
    member = _member(member_id, by)
    target = about or (TargetKind.MEMBER, member.id)
    before = _last_warning(member.id, target)
    if before is not None:
        raise recording.already(before, "warned about")
    act = _record(ActKind.WARN, member, by, rule_id, reason, "a warning: nothing is taken away", None, target)
    if about is not None:
        cases.answered(about, act)
    return act


def suspend(member_id: int, by: Viewer, *, rule_id: int, reason: str, until: datetime | None = None) -> Act:
    """Let a member only read, export, appeal and leave, until `until`. Only administrators may leave the end open.

    Raises NotFound, NotAllowed, Invalid (rule, reason, end), Conflict (somebody was faster).
    """
    member = _member(member_id, by)
    if member.suspended_by is not None and not _is_over(member):
        raise recording.already(member.suspended_by, "suspended")
    if until is None and not by.is_administrator:
        raise Invalid("Say until when. Only administrators suspend without an end.", "until")
    act = _record(ActKind.SUSPEND, member, by, rule_id, reason, targets.ACCOUNT, until, (TargetKind.MEMBER, member.id))
    member.suspended_by, member.suspended_until = act.id, until
    db.session.flush()
    return act


def lift(member_id: int, by: Viewer, *, reason: str) -> Act:
    """End a suspension before its time. Raises NotFound, NotAllowed, Invalid (reason), Conflict (there is none any more)."""
    member = _member(member_id, by)
    if member.suspended_by is None or _is_over(member):
        raise Conflict("This member is not suspended any more.")
    return lifting.lift(recording.of(member.suspended_by)[0], ActKind.LIFT, by, reason)


def suspension(member_id: int) -> tuple[Act, datetime | None] | None:
    """The act that suspends a member, with its end as things stand (None: until it is lifted); None for nobody suspended. One statement."""
    asked = select(Act, Member.suspended_until).join(Member, Member.suspended_by == Act.id).where(Member.id == member_id)
    row = db.session.execute(asked).one_or_none()
    return (row[0], row[1]) if row is not None and (row[1] is None or row[1] > now()) else None


def _member(member_id: int, by: Viewer) -> Member:
    member = targets.member(member_id)
    may_act_on_member(by, member.id, member.role).require()
    return member


def _is_over(member: Member) -> bool:
    return member.suspended_until is not None and member.suspended_until <= now()


def _last_warning(member_id: int, target: tuple[TargetKind, int]) -> int | None:
    undoing = aliased(Act)
    same = (Act.person_id == member_id, Act.kind == ActKind.WARN.value, Act.target_kind == target[0].value, Act.target_id == target[1])
    recent = select(Act.id).where(*same, Act.created_at > now() - SAME_WARNING, ~exists().where(undoing.undoes_id == Act.id))
    return db.session.execute(recent.order_by(Act.id.desc()).limit(1)).scalar_one_or_none()


def _record(kind: ActKind, member: Member, by: Viewer, rule_id: int, reason: str, scope: str, until: datetime | None,
            target: tuple[TargetKind, int]) -> Act:
    ending.check(until)
    rule = recording.rule_in_force(rule_id)
    act = recording.record(kind, by, person_id=member.id, target=target, rule_id=rule.id, reason=reason, scope=scope, until=until)
    if until is not None:
        ending.plan(act, until)
    return act
