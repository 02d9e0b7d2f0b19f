"""A member comes to be, and an address is confirmed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from blog.accounts import emails, letters, links, passwords
from blog.accounts.models import EmailAddress, LinkPurpose, MailedLink, Member, Role
from blog.clock import now
from blog.db import db
from blog.errors import Conflict, Gone, Invalid, NotFound
from blog.text.names import clean_display_name, is_reserved, is_username
from blog.text.names import fold_username as fold
from blog.viewer import Viewer

# So long after registering the same form sent again is the second of two presses.
TWICE = timedelta(minutes=2)

USERNAME_SHAPE = "A username has 2 to 30 letters, digits, - or _, and begins with a letter or digit."
USERNAME_TAKEN = "This username is taken, or looks like one that is. Choose another; the name that others see can be whatever you like."
USERNAME_RESERVED = "This username is kept for the board itself. Choose another."
OTHERS_ADDRESS = "This address belongs to another account, which confirmed it first. Sign in there, or give another address here."


def register(username: str, email: str, password_hash: str, *, display_name: str = "") -> int:
    """A new member with an address that they claim, and a mail to that address. Gives the member's id.

    The same work for a free address and for one that belongs to somebody: only the mail to it tells them apart. The name's
    uniqueness is the constraint's: of two at once, one is refused. Raises Invalid (fields `username`, `email`, `display_name`).
    Call inside `writing()`, with a hash from `passwords.new`.
    """
    if not is_username(username):
        raise Invalid(USERNAME_SHAPE, "username")
    if is_reserved(username):
        raise Invalid(USERNAME_RESERVED, "username")
    member = _member(username, Role.MEMBER, password_hash, display_name, now())
    letters.ask_to_confirm(_claim(member.id, _read(email)))
    return member.id


def just_made(username: str, email: str, password: str) -> int | None:
    """The id of the member whom this very form made a moment ago: same name, address and password. None for anybody else.

    One statement, and one argon2 computation where name and address agree. Outside `writing()`.
    """
    made = select(Member.id, Member.password_hash).join(EmailAddress, EmailAddress.member_id == Member.id).where(
        Member.username == username, Member.created_at > now() - TWICE, EmailAddress.address_key == emails.key_of(email))
    row = db.session.execute(made.limit(1)).one_or_none()
    return row.id if row is not None and passwords.verify(row.password_hash, password) else None


def create_verified(username: str, email: str, role: Role, password: str | None = None, display_name: str | None = None,
                    is_demo: bool = False, joined_at: datetime | None = None, about: str = "") -> Member:
    """A member with a confirmed address, made by the operator: reserved names and any password are allowed.

    Without password they need a link to set one (`recovering.link_by_hand`). Raises Invalid for a username or address that is
    malformed or taken, or a display name that no member may have. Call inside `writing()`.
    """
    if not is_username(username):
        raise Invalid(USERNAME_SHAPE, "username")
    address = _read(email)
    joined = joined_at or now()
    member = _member(username, role, passwords.hash_password(password) if password else None, display_name or "", joined)
    member.verified_at, member.is_demo, member.about = joined, is_demo, about
    claim = _claim(member.id, address)
    claim.verified_at = joined
    try:
        db.session.flush()
    except IntegrityError:
        raise Invalid("This address belongs to another account.", "email") from None
    return member


def give_role(username: str, role: Role) -> str:
    """The member has this role from their next page on. Gives the name as they write it. Raises NotFound. Call inside `writing()`."""
    member = db.session.execute(select(Member).where(Member.username_key == fold(username))).scalar_one_or_none()
    if member is None or member.left_at is not None:
        raise NotFound(f"There is no member {username}.")
    member.role = role
    db.session.flush()
    return member.username


def everybody() -> list[Member]:
    """All members, the longest here first. One statement."""
    return list(db.session.execute(select(Member).order_by(Member.id)).scalars())


def _member(username: str, role: Role, password_hash: str | None, display_name: str, joined: datetime) -> Member:
    try:
        shown = clean_display_name(display_name) if display_name else username
    except ValueError as error:
        raise Invalid(str(error), "display_name") from None
    member = Member(username=username, username_key=fold(username), display_name=shown, role=role, password_hash=password_hash, created_at=joined)
    db.session.add(member)
    try:
        db.session.flush()
    except IntegrityError:
        raise Invalid(USERNAME_TAKEN, "username") from None
    return member


def _read(email: str) -> emails.Email:
    try:
        return emails.read(email)
    except ValueError as error:
        raise Invalid(str(error), "email") from None


def _claim(member_id: int, email: emails.Email) -> EmailAddress:
    claim = EmailAddress(member_id=member_id, address=email.address, address_key=email.key, created_at=now())
    db.session.add(claim)
    db.session.flush()
    return claim


def claim_of(member_id: int) -> EmailAddress | None:
    """The member's address: the confirmed one, else the newest claim. One statement."""
    mine = select(EmailAddress).where(EmailAddress.member_id == member_id)
    return db.session.execute(mine.order_by(EmailAddress.verified_at.is_(None), EmailAddress.id.desc()).limit(1)).scalar_one_or_none()


def send_again(viewer: Viewer, email: str = "") -> bool:
    """Mail the link once more; with `email`, to that address instead, and links to the earlier one are good no longer.

    Does nothing, and gives False, for a member whose address is confirmed. Raises Invalid (field `email`). Call inside `writing()`.
    """
    claim = claim_of(viewer.id)
    if claim is not None and claim.verified_at is not None:
        return False
    address = _read(email) if email else None
    if claim is None and address is None:
        raise Invalid("Give the address that the link should go to.", "email")
    if address is not None and (claim is None or claim.address_key != address.key):
        db.session.execute(delete(MailedLink).where(MailedLink.member_id == viewer.id, MailedLink.purpose == LinkPurpose.VERIFY))
        db.session.execute(delete(EmailAddress).where(EmailAddress.member_id == viewer.id, EmailAddress.verified_at.is_(None)))
        claim = _claim(viewer.id, address)
    if claim is not None:
        letters.ask_to_confirm(claim)
    return True


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a link to confirm an address is about. `done` when it was pressed already."""

    member_id: int
    username: str
    address: str
    done: bool


def look(token: str) -> Confirmation:
    """What this link would confirm, changing nothing. Raises Gone if it leads nowhere (any longer). Two statements."""
    link, claim, username = _opened(token)
    return Confirmation(claim.member_id, username, claim.address, link.used_at is not None)


def confirm(token: str) -> Confirmation:
    """The address is its member's. Pressing again changes nothing.

    Of two accounts that claim one address the first to press wins, by the unique index among confirmed ones. Raises Gone for a link
    that leads nowhere, Conflict where the address has become another account's. Call inside `writing()`.
    """
    link, claim, username = _opened(token, locked=True)
    if link.used_at is not None:
        return Confirmation(claim.member_id, username, claim.address, done=True)
    owner = letters.owner_of(claim.address_key)
    if owner is not None and owner.member.id != claim.member_id:
        raise Conflict(OTHERS_ADDRESS)
    moment = now()
    member = db.session.get_one(Member, claim.member_id)
    link.used_at = moment
    claim.verified_at = claim.verified_at or moment
    member.verified_at = member.verified_at or moment
    try:
        db.session.flush()
    except IntegrityError:  # the other one pressed at this very moment
        raise Conflict(OTHERS_ADDRESS) from None
    return Confirmation(member.id, username, claim.address, done=False)


def _opened(token: str, locked: bool = False) -> tuple[MailedLink, EmailAddress, str]:
    link = links.find(token, LinkPurpose.VERIFY, locked)
    if link is None or (link.used_at is None and not links.is_open(link)):
        raise Gone("This link has expired, or was made for an address that has been replaced.")
    claim, username = db.session.execute(
        select(EmailAddress, Member.username).join(Member, Member.id == EmailAddress.member_id).where(EmailAddress.id == link.email_id)
    ).one()
    return link, claim, username
