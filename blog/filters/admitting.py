"""Who comes in: registering under the board's mode, invitations, and a moderator's admission of those who wait at the door."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from blog.accounts import emails, registering
from blog.accounts.models import Member
from blog.accounts.sessions import hashed
from blog.acts import recording
from blog.acts.models import Act, ActKind, TargetKind
from blog.clock import now
from blog.config import settings
from blog.db import db
from blog.errors import Conflict, Invalid, NotFound
from blog.filters import letters
from blog.filters.holding import Signs, rule_of_the_board
from blog.filters.listing import refused_address
from blog.filters.models import Invitation
from blog.filters.newcomers import standing
from blog.permissions import Ruling, may_invite, may_join, may_moderate
from blog.viewer import STRANGER, Viewer

LASTS = timedelta(days=14)

# Invitations of one member that are good at the same time, and people that one of them may let in.
MOST_OPEN = 10
MOST_USES = 25

# Where a moderator gives no reason of their own.
ADMITTED = "A moderator read the profile and admitted the newcomer."

WAITS = "A moderator admits new members here. You will be told; until then you can read, and say something about yourself on your profile."


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that is good now."""

    id: int
    made_by: int
    inviting: str  # display name
    expires_at: datetime


def invited(token: str) -> Invited | None:
    """The invitation that a link stands for; None for one that was used up, taken back, has expired or never was. One statement, none for ""."""
    if not token:
        return None
    row = db.session.execute(
        select(Invitation.id, Invitation.made_by, Member.display_name, Invitation.expires_at).join(Member, Member.id == Invitation.made_by)
        .where(Invitation.token_hash == hashed(token), Invitation.uses_left > 0, Invitation.expires_at > now())
    ).one_or_none()
    return Invited(*row) if row else None


def way_in(invitation: Invited | None) -> Ruling:
    """Whether a new account may be made now, with this invitation or without."""
    mode = settings().registration
    return may_join(STRANGER, mode == "closed", mode == "invited", invitation is not None)


def check_address(email: str) -> None:
    """Raises Invalid (field `email`) with the list's sentence for an address at a mail domain that the board does not take. One statement."""
    sentence = refused_address(emails.key_of(email))
    if sentence:
        raise Invalid(sentence, "email")


def register(username: str, email: str, password_hash: str, *, display_name: str = "", invitation: str = "", signs: Signs) -> tuple[int, bool]:
    """A new member as registering.register makes them, and whether they wait for a moderator: where the board admits newcomers so, and where
    the form looks filled in by a program. Nobody is refused for that.

    Raises NotAllowed (closed, or an invitation is needed), Invalid. Call inside `writing()`, with a hash from `passwords.new`.
    """
    used = invited(invitation)
    way_in(used).require()
    check_address(email)
    if used is not None and not _use(used.id):
        used = None
        way_in(None).require()  # somebody else was a moment faster
    member_id = registering.register(username, email, password_hash, display_name=display_name)
    waits = settings().registration == "approved" or _looks_like_a_program(signs)
    if waits or used is not None:
        member = db.session.get_one(Member, member_id)
        member.is_waiting, member.invited_by = waits, used.made_by if used else None
        db.session.flush()
    return member_id, waits


def _looks_like_a_program(signs: Signs) -> bool:
    chosen = settings()
    return chosen.ratelimit_enabled and (signs.trapped or (signs.seconds is not None and signs.seconds < chosen.typing_seconds))


def _use(invitation_id: int) -> bool:
    """Take one use of an invitation; False if none is left: of two at once, one has the last."""
    taken = update(Invitation).where(Invitation.id == invitation_id, Invitation.uses_left > 0).values(uses_left=Invitation.uses_left - 1)
    return bool(db.session.execute(taken, execution_options={"synchronize_session": False}).rowcount)  # type: ignore[attr-defined]


# -- invitations


def may_make(by: Viewer) -> Ruling:
    """Whether this member may make invitations now. One statement at most."""
    chosen = settings()
    return may_invite(by, chosen.inviting == "moderators", standing(by).is_newcomer, chosen.writing_needs_verified)


def invite(by: Viewer, *, uses: int = 1) -> str:
    """A new invitation; gives the link's token, which nothing keeps. Raises NotAllowed, Invalid (too many people), Conflict (too many open)."""
    may_make(by).require()
    most = MOST_USES if by.is_moderator else 1
    if not 1 <= uses <= most:
        raise Invalid(f"An invitation lets {most} {'person' if most == 1 else 'people'} in at most.", "uses")
    # The member's row makes two presses at once count one after the other.
    db.session.execute(select(Member.id).where(Member.id == by.id).with_for_update())
    open_now = select(func.count()).select_from(Invitation).where(Invitation.made_by == by.id, Invitation.uses_left > 0, Invitation.expires_at > now())
    if db.session.execute(open_now).scalar_one() >= MOST_OPEN:
        raise Conflict(f"{MOST_OPEN} invitations of yours are open. Take one back first, or wait until one is used.")
    token = secrets.token_urlsafe(24)
    moment = now()
    db.session.add(Invitation(token_hash=hashed(token), made_by=by.id, uses_left=uses, created_at=moment, expires_at=moment + LASTS))
    db.session.flush()
    return token


def end_invitation(invitation_id: int, by: Viewer) -> None:
    """The member takes an invitation back; who came by it stays. Twice is once. Raises Invalid for one that is not theirs."""
    ended = update(Invitation).where(Invitation.id == invitation_id, Invitation.made_by == by.id).values(uses_left=0)
    if db.session.execute(ended, execution_options={"synchronize_session": False}).rowcount == 0:  # type: ignore[attr-defined]
        raise Invalid("That invitation is not one of yours.", "end")


def own_invitations(by: Viewer) -> list[Invitation]:
    """The member's invitations that are good now, the newest first. One statement."""
    mine = select(Invitation).where(Invitation.made_by == by.id, Invitation.uses_left > 0, Invitation.expires_at > now())
    return list(db.session.execute(mine.order_by(Invitation.id.desc()).limit(MOST_OPEN)).scalars())


# -- at the door


def admit(member_id: int, by: Viewer, *, reason: str = "") -> Act:
    """Let a newcomer write, also one who was refused before; they are told by mail. Raises NotFound, NotAllowed, Invalid, Conflict."""
    member = _at_the_door(member_id, by)
    act = recording.record(ActKind.APPROVE, by, person_id=member_id, target=(TargetKind.MEMBER, member_id), rule_id=rule_of_the_board(),
                           reason=reason.strip() or ADMITTED, scope="this account", undoes_id=member.refused_by, is_mailed=False)
    open_door(member)
    letters.tell_admitted(member_id)
    return act


def open_door(member: Member) -> None:
    """The effect alone, for an admission and for whatever undoes a refusal."""
    member.is_waiting, member.refused_by = False, None
    db.session.flush()


def refuse(member_id: int, by: Viewer, *, rule_id: int, reason: str) -> Act:
    """Not admit a newcomer: they go on reading, and may appeal; told by mail. Raises NotFound, NotAllowed, Invalid, Conflict."""
    member = _at_the_door(member_id, by)
    if member.refused_by is not None:
        raise recording.already(member.refused_by, "refused", "This member")
    rule = recording.rule_in_force(rule_id)
    act = recording.record(ActKind.REJECT, by, person_id=member_id, target=(TargetKind.MEMBER, member_id), rule_id=rule.id, reason=reason,
                           scope="this account", is_mailed=False)
    member.refused_by = act.id
    db.session.flush()
    letters.tell_refused(member_id, act.number)
    return act


def _at_the_door(member_id: int, by: Viewer) -> Member:
    may_moderate(by).require()
    member = db.session.get(Member, member_id, with_for_update=True, populate_existing=True)
    if member is None:
        raise NotFound("There is no such member.")
    if not member.is_waiting:
        decided = (Act.target_kind == TargetKind.MEMBER.value, Act.target_id == member_id, Act.kind == ActKind.APPROVE.value)
        act_id = db.session.execute(select(Act.id).where(*decided).order_by(Act.id.desc()).limit(1)).scalar_one_or_none()
        raise recording.already(act_id, "admitted", "This member") if act_id else Conflict("This member does not wait to be admitted. Nothing was changed.")
    return member
