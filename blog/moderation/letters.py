"""What moderation mails about appeals: asked for here and put into words here when it is sent. Never words of anybody's but the decision's reason."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from blog.accounts import emails
from blog.acts import words
from blog.acts.letters import address_of, receipt_path
from blog.acts.models import Act
from blog.db import db
from blog.mail import sending
from blog.mail.sending import Letter, fills
from blog.moderation.models import Appeal, AppealState

DECIDED = "moderation/decided"
ANSWER = "moderation/answer"


def ask_to_tell_decision(appeal_id: int, person_id: int) -> None:
    """Mail the appellant what was decided, if they have confirmed an address. Five statements at most; one for everybody else."""
    _ask(DECIDED, appeal_id, person_id)


def ask_to_answer(appeal_id: int, person_id: int) -> None:
    """Mail the appellant that a moderator wrote to them. As `ask_to_tell_decision`."""
    _ask(ANSWER, appeal_id, person_id)


def _ask(kind: str, appeal_id: int, person_id: int) -> None:
    claim = address_of(person_id)
    if claim is not None:
        sending.post(kind, claim.address_key, {"appeal_id": appeal_id})


@fills(DECIDED)
def to_tell_decision(facts: dict[str, Any]) -> Letter | None:
    """What the appeal came to, by whom and why."""
    return _letter(DECIDED, facts["appeal_id"], AppealState.DECIDED)


@fills(ANSWER)
def to_answer(facts: dict[str, Any]) -> Letter | None:
    """That a message waits; nothing once the appeal is decided."""
    return _letter(ANSWER, facts["appeal_id"], AppealState.OPEN)


def _letter(template: str, appeal_id: int, state: AppealState) -> Letter | None:
    decision = aliased(Act)
    found: Any = db.session.execute(
        select(Appeal, Act, decision).join(Act, Act.id == Appeal.act_id).outerjoin(decision, decision.id == Appeal.decided_by).where(Appeal.id == appeal_id)
    ).one_or_none()
    claim = address_of(found.Appeal.person_id) if found is not None else None
    if found is None or claim is None or found.Appeal.state != state.value:
        return None
    appeal, act, decided = found
    return Letter(to=emails.for_sending(claim.address), template=template, link=receipt_path(act, appeal.person_id), facts={
        "act": act, "decision": decided, "what": words.passive(decided, True, about=act.number) if decided else "",
        "who": words.actor_words(decided) if decided else "",
    })
