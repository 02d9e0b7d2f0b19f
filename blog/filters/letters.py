"""What newcomers who waited at the door are mailed, put into words when it is sent."""

from typing import Any

from sqlalchemy import select

from blog.accounts import emails
from blog.accounts.models import EmailAddress, Member
from blog.acts.models import Act
from blog.db import db
from blog.mail import sending
from blog.mail.sending import Letter, fills
from blog.permissions import APPEAL_DAYS
from blog.tokens import sign

ADMITTED = "filters/admitted"
REFUSED = "filters/refused"


def tell_admitted(member_id: int) -> None:
    """Mail a newcomer that they may write; nothing to an address that nobody confirmed."""
    address = _confirmed(member_id)
    if address:
        sending.post(ADMITTED, address.address_key, {"member_id": member_id})


def tell_refused(member_id: int, number: int) -> None:
    """Mail a newcomer that they were not admitted by act `number`; nothing to an address that nobody confirmed."""
    address = _confirmed(member_id)
    if address:
        sending.post(REFUSED, address.address_key, {"member_id": member_id, "number": number})


def _confirmed(member_id: int) -> EmailAddress | None:
    mine = select(EmailAddress).where(EmailAddress.member_id == member_id, EmailAddress.verified_at.is_not(None))
    return db.session.execute(mine.limit(1)).scalar_one_or_none()


@fills(ADMITTED)
def to_admitted(facts: dict[str, Any]) -> Letter | None:
    """Word that they may write, while that is so."""
    address = _confirmed(facts["member_id"])
    member = db.session.get(Member, facts["member_id"])
    if address is None or member is None or member.is_waiting:
        return None
    return Letter(to=emails.for_sending(address.address), template=ADMITTED, link="/", facts={"username": member.username})


@fills(REFUSED)
def to_refused(facts: dict[str, Any]) -> Letter | None:
    """The rule, the reason and the way to the act, while it holds."""
    address = _confirmed(facts["member_id"])
    member = db.session.get(Member, facts["member_id"])
    act = db.session.execute(select(Act).where(Act.number == facts["number"])).scalar_one_or_none()
    if address is None or member is None or act is None or member.refused_by != act.id:
        return None
    key = sign("act", act.number, member.id)
    return Letter(to=emails.for_sending(address.address), template=REFUSED, link=f"/acts/{act.number}?key={key}",
                  facts={"username": member.username, "reason": act.reason, "days": APPEAL_DAYS})
