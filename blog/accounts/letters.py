"""What accounts mail, asked for here and put into words here when it is sent."""

from typing import Any

from sqlalchemy import select

from blog.accounts import emails, links, sessions
from blog.accounts.models import EmailAddress, LinkPurpose, MailedLink, Member
from blog.db import db
from blog.mail import sending
from blog.mail.sending import Letter, fills

VERIFY = "accounts/verify"
TAKEN = "accounts/taken"
RESET = "accounts/reset"


def ask_to_confirm(claim: EmailAddress) -> None:
    """Mail the owner of the claimed address. The same work whether or not the address belongs to an account: the letter finds that out."""
    link = links.issue(LinkPurpose.VERIFY, claim.member_id, email_id=claim.id)
    sending.post(VERIFY, claim.address_key, {"link_id": link.id, "address_key": claim.address_key})


@fills(VERIFY)
def to_confirm(facts: dict[str, Any]) -> Letter | None:
    """A link to press, or for an address that belongs to an account already, word that somebody tried."""
    found = db.session.execute(
        select(MailedLink, EmailAddress, Member.username)
        .join(EmailAddress, EmailAddress.id == MailedLink.email_id).join(Member, Member.id == MailedLink.member_id)
        .where(MailedLink.id == facts["link_id"])
    ).one_or_none()
    if found is None:  # they gave another address meanwhile
        return None
    link, claim, username = found
    if claim.address_key != facts.get("address_key", claim.address_key):  # SQLite gave the number of a withdrawn link to a new one
        return None
    owner = owner_of(claim.address_key)
    if owner is not None and owner.member.id != claim.member_id:
        return Letter(to=emails.for_sending(owner.email.address), template=TAKEN, link="/forgot", facts={"username": owner.member.username})
    token = links.token_of(link)
    if owner is not None or not links.is_open(link) or not token:
        return None
    days = links.LASTS[LinkPurpose.VERIFY].days
    return Letter(to=emails.for_sending(claim.address), template=VERIFY, link=f"/verify/{token}", facts={"username": username, "days": days})


def ask_for_reset(address_key: str) -> None:
    """Mail a way to a new password to whoever owns the address. The same work for anybody's and nobody's: the letter finds out whose it is."""
    sending.post(RESET, address_key, {"address_key": address_key, "nonce": links.new_nonce()})


@fills(RESET)
def to_reset(facts: dict[str, Any]) -> Letter | None:
    """A link, for the account that has confirmed the address; nothing for everybody else."""
    owner = owner_of(facts["address_key"])
    if owner is None or not sessions.may_sign_in(owner.member):
        return None
    # Made now, with the nonce that waits in the row, so that a second attempt at sending finds the first one's link.
    link = db.session.execute(select(MailedLink).where(MailedLink.member_id == owner.member.id, MailedLink.nonce == facts["nonce"])).scalar_one_or_none()
    link = link or links.issue(LinkPurpose.RESET, owner.member.id, email_id=owner.email.id, nonce=facts["nonce"])
    token = links.token_of(link)
    if not links.is_open(link) or not token:
        return None
    return Letter(to=emails.for_sending(owner.email.address), template=RESET, link=f"/reset/{token}", facts={"username": owner.member.username})


class Owner:
    """A confirmed address and whose it is."""

    def __init__(self, email: EmailAddress, member: Member) -> None:
        self.email, self.member = email, member


def owner_of(address_key: str) -> Owner | None:
    """Who confirmed this address first. One statement."""
    found = db.session.execute(
        select(EmailAddress, Member).join(Member, Member.id == EmailAddress.member_id)
        .where(EmailAddress.address_key == address_key, EmailAddress.verified_at.is_not(None))
    ).one_or_none()
    return Owner(*found) if found else None
