"""What acts mail: the receipt, with a link that opens it without signing in. Asked for here and put into words here when it is sent."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from blog import tokens
from blog.accounts import emails
from blog.accounts.models import EmailAddress, Member
from blog.acts import words
from blog.acts.models import Act, ActKind, Rule
from blog.db import db
from blog.mail import sending
from blog.mail.sending import Letter, fills
from blog.permissions import APPEAL_DAYS, APPEALABLE

RECEIPT = "acts/receipt"
# Counted apart, so that a day with several acts does not swallow the one mail that nobody may miss.
SUSPENDED = "acts/suspended"


def receipt_path(act: Act, person_id: int) -> str:
    """The address that opens the receipt for the person concerned, signed in or not, suspended or not."""
    return f"/acts/{act.number}?key={tokens.sign('act', act.number, person_id)}"


def holds_key(key: str, number: int, person_id: int | None) -> bool:
    """Whether `key` opens act `number` as the person concerned."""
    return person_id is not None and tokens.holds(key, "act", number, person_id)


def ask_to_tell(act: Act, person_id: int) -> None:
    """Mail the person their receipt, if they have confirmed an address. Four statements, five on PostgreSQL; one for everybody else."""
    claim = address_of(person_id)
    if claim is not None:
        sending.post(SUSPENDED if act.kind == ActKind.SUSPEND else RECEIPT, claim.address_key, {"act_id": act.id, "person_id": person_id})


@fills(SUSPENDED)
@fills(RECEIPT)
def to_tell(facts: dict[str, Any]) -> Letter | None:
    """What was done, under which rule, why, until when, and how to appeal; nothing once it is taken back. Never words of anybody's."""
    undoing = aliased(Act)
    found = db.session.execute(
        select(Act, Rule).join(Rule, Rule.id == Act.rule_id).outerjoin(undoing, undoing.undoes_id == Act.id)
        .where(Act.id == facts["act_id"], undoing.id.is_(None))
    ).one_or_none()
    claim = address_of(facts["person_id"])
    if found is None or claim is None:
        return None
    act, rule = found
    own = act.person_id == facts["person_id"]
    return Letter(to=emails.for_sending(claim.address), template=RECEIPT, link=receipt_path(act, facts["person_id"]), facts={
        "act": act, "rule": rule, "what": words.passive(act, own), "sentence": words.receipt(act, own),
        "appeal_until": act.created_at + timedelta(days=APPEAL_DAYS) if own and act.kind in APPEALABLE else None,
        "is_suspension": act.kind == ActKind.SUSPEND,
    })


def address_of(member_id: int) -> EmailAddress | None:
    """The address that the member confirmed last. One statement."""
    mine = select(EmailAddress).join(Member, Member.id == EmailAddress.member_id).where(EmailAddress.member_id == member_id)
    confirmed = mine.where(EmailAddress.verified_at.is_not(None)).order_by(EmailAddress.verified_at.desc(), EmailAddress.id.desc()).limit(1)
    return db.session.execute(confirmed).scalar_one_or_none()
