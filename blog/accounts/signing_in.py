"""Signing in and out, and a member's own say over their password and their signed-in browsers."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from blog.accounts import browsers, emails, links, passwords, sessions
from blog.accounts.models import EmailAddress, LinkPurpose, LoginSession, Member
from blog.clock import now
from blog.db import db
from blog.errors import Invalid
from blog.text.names import fold_username, is_username
from blog.viewer import Viewer

# The one answer to every failure: it tells nobody which names exist.
WRONG = "That username and password don’t match."


def key_of(name: str) -> str:
    """The form of a name or address under which wrong guesses are counted."""
    return emails.key_of(name) if "@" in name else fold_username(name)


@dataclass(frozen=True, slots=True)
class Recognised:
    """Somebody who gave a right password. `password_hash` is what it was checked against."""

    member_id: int
    password_hash: str
    renewed_hash: str | None = None  # with today's parameters, where the kept one has older ones


def recognise(name: str, password: str) -> Recognised:
    """Who signs in with this username or confirmed address and password. Raises Invalid with WRONG for every failure.

    One statement and one argon2 computation, whoever it is, member or not; one more computation where the kept hash is outdated.
    Outside `writing()`: checking a password takes time.
    """
    member = _named(name)
    right = passwords.verify(member.password_hash if member else None, password)
    if member is None or member.password_hash is None or not right or not sessions.may_sign_in(member):
        raise Invalid(WRONG)
    kept = member.password_hash
    return Recognised(member.id, kept, passwords.hash_password(password) if passwords.is_outdated(kept) else None)


def _named(name: str) -> Member | None:
    if "@" in name:
        address = (EmailAddress.address_key == emails.key_of(name), EmailAddress.verified_at.is_not(None))
        return db.session.execute(select(Member).join(EmailAddress, EmailAddress.member_id == Member.id).where(*address)).scalar_one_or_none()
    key = fold_username(name) if is_username(name) else ""
    return db.session.execute(select(Member).where(Member.username_key == key)).scalar_one_or_none()


def begin(known: Recognised, browser: str, *, instead_of: int) -> str:
    """A new session for whoever was recognised, in place of the one (id, or 0) that this browser had. Gives the cookie's token.

    Raises Invalid if the password was changed since it was checked. Call inside `writing()`.
    """
    # Locked: whoever sets a new password at this moment ends this session with all others, or is seen here.
    member = db.session.get(Member, known.member_id, with_for_update=True)
    if member is None or member.password_hash != known.password_hash or not sessions.may_sign_in(member):
        raise Invalid(WRONG)
    if known.renewed_hash:
        member.password_hash = known.renewed_hash
    sessions.end(instead_of)
    return sessions.start(known.member_id, browser)


def sign_out(viewer: Viewer) -> None:
    """This browser is signed out. Call inside `writing()`."""
    sessions.end(viewer.session_id)


@dataclass(frozen=True, slots=True)
class Change:
    """A new password, approved: the hash that stood when the old one was checked, and the new one's."""

    kept: str
    chosen: str


def approve_change(viewer: Viewer, current: str, chosen: str) -> Change:
    """Check the old password and the new. Raises Invalid (fields `current_password`, `password`). Outside `writing()`, as it takes time."""
    member = db.session.get_one(Member, viewer.id)
    if not passwords.verify(member.password_hash, current) or member.password_hash is None:
        raise Invalid("That is not your present password. If you don’t remember it, sign out and follow “Forgot the password”.", "current_password")
    address = db.session.execute(select(EmailAddress.address).where(EmailAddress.member_id == viewer.id).limit(1)).scalar()
    return Change(member.password_hash, passwords.new(chosen, member.username, address or ""))


def change_password(viewer: Viewer, change: Change) -> str:
    """The new password holds; every other browser is signed out and this one gets a new token (given back) for its cookie.

    Raises Invalid if the password was changed elsewhere meanwhile. Call inside `writing()`.
    """
    member = db.session.get_one(Member, viewer.id)
    if member.password_hash != change.kept:
        raise Invalid("Your password was changed elsewhere a moment ago.", "current_password")
    member.password_hash = change.chosen
    links.withdraw(viewer.id, LinkPurpose.RESET)
    sessions.end_all(viewer.id, besides=viewer.session_id)
    return sessions.renew(viewer.session_id)


def end_browser(viewer: Viewer, session_id: int) -> None:
    """Sign out one of the member's own browsers. Raises Invalid for one that is signed out already or is not theirs. Call inside `writing()`."""
    ended = db.session.execute(delete(LoginSession).where(LoginSession.id == session_id, LoginSession.member_id == viewer.id))
    if ended.rowcount == 0:  # type: ignore[attr-defined]
        raise Invalid("That browser is signed out already, or it is not one of yours.", "end")


def end_others(viewer: Viewer) -> None:
    """Sign out every browser of the member but this one. Call inside `writing()`."""
    sessions.end_all(viewer.id, besides=viewer.session_id)


@dataclass(frozen=True, slots=True)
class Browser:
    """One signed-in browser, as its member reads it."""

    id: int
    name: str
    since: datetime
    seen: datetime
    is_this: bool


def own_browsers(viewer: Viewer) -> list[Browser]:
    """Where the member is signed in: this browser first, then the latest seen. One statement."""
    mine = select(LoginSession).where(LoginSession.member_id == viewer.id, LoginSession.expires_at > now())
    rows = db.session.execute(mine.order_by((LoginSession.id == viewer.session_id).desc(), LoginSession.seen_at.desc(), LoginSession.id.desc())).scalars()
    return [Browser(row.id, browsers.name_of(row.browser), row.created_at, row.seen_at, row.id == viewer.session_id) for row in rows]
