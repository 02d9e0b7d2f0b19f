"""A forgotten password: asked for by address, chosen anew behind a one-time link."""

from dataclasses import dataclass

from sqlalchemy import select

from blog.accounts import emails, letters, links, sessions
from blog.accounts.models import EmailAddress, LinkPurpose, MailedLink, Member
from blog.clock import now
from blog.db import db
from blog.errors import Gone


def ask(email: str) -> None:
    """Mail a link to the account that has confirmed this address, if there is one. The same work and no word about which. Call inside `writing()`."""
    letters.ask_for_reset(emails.key_of(email))


@dataclass(frozen=True, slots=True)
class Recovery:
    """Whose password a link changes, and what it may not be."""

    member_id: int
    username: str
    email: str


def look(token: str) -> Recovery:
    """What this link is good for, changing nothing. Raises Gone for one that is used, expired or unknown. Two statements."""
    _, member, email = _opened(token)
    return Recovery(member.id, member.username, email)


def reset(token: str, password_hash: str) -> None:
    """The password is changed, the link is used up, and the account is signed out everywhere.

    Of two that press at once the second finds the link used: the row is locked. Raises Gone. Call inside `writing()`, with a hash
    from `passwords.new`.
    """
    link, member, _ = _opened(token, locked=True)
    link.used_at = now()
    member.password_hash = password_hash
    db.session.flush()
    links.withdraw(member.id, LinkPurpose.RESET)
    sessions.end_all(member.id)


def link_by_hand(member: Member) -> str:
    """The path of a link to set a password, for the operator to hand over; lasts longer than a mailed one. Call inside `writing()`."""
    link = links.issue(LinkPurpose.RESET, member.id, lasts=links.BY_HAND)
    return f"/reset/{links.token_of(link)}"


def _opened(token: str, locked: bool = False) -> tuple[MailedLink, Member, str]:
    link = links.find(token, LinkPurpose.RESET, locked)
    if link is not None and links.is_open(link):
        member, email = db.session.execute(
            select(Member, EmailAddress.address).outerjoin(EmailAddress, EmailAddress.member_id == Member.id)
            .where(Member.id == link.member_id).order_by(EmailAddress.verified_at.is_(None)).limit(1)
        ).one()
        if sessions.may_sign_in(member):
            return link, member, email or ""
    raise Gone("This link has been used, or its time is over.")
