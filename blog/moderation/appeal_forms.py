"""Forms of appeals: shape only. The deeds ask for lengths and rights again."""

import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wtforms import RadioField, TextAreaField, ValidationError
from wtforms.fields import DateTimeLocalField
from wtforms.validators import Optional

from blog.acts.models import ActKind
from blog.acts.recording import LONGEST_REASON, SHORTEST_REASON
from blog.dates import instant
from blog.drafts import keeping
from blog.forms import BoardForm, SubmissionField, clean_text, length
from blog.moderation import lifting
from blog.moderation.appeals import LONGEST, LONGEST_MESSAGE, SHORTEST, Place
from blog.moderation.models import Outcome


class AppealForm(BoardForm):
    """What was missed."""

    statement = TextAreaField("What was missed?", filters=[clean_text])

    def validate_statement(self, field: Any) -> None:
        length(field, SHORTEST, LONGEST, "Your statement")


class MessageForm(BoardForm):
    """A line between the appellant and whoever decides."""

    body = TextAreaField("Message", filters=[clean_text])
    submission_id = SubmissionField()

    def validate_body(self, field: Any) -> None:
        length(field, 1, LONGEST_MESSAGE, "The message")


class EndField(DateTimeLocalField):
    """A day with a time."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Write the end as a day with a time: 2026-05-11T09:00.") from None


class DecideForm(BoardForm):
    """What the appeal comes to, and why."""

    outcome = RadioField("What holds?", choices=[], validate_choice=False)
    reason = TextAreaField("Reason", filters=[clean_text])
    until = EndField("Ends", format=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"], validators=[Optional()])

    def validate_outcome(self, field: Any) -> None:
        if field.data not in set(Outcome):
            raise ValidationError("Say whether the act is upheld, softened or overturned.")

    def validate_reason(self, field: Any) -> None:
        size = len((field.data or "").strip())
        if not SHORTEST_REASON <= size <= LONGEST_REASON:
            raise ValidationError(f"Give a reason of {SHORTEST_REASON} to {LONGEST_REASON} characters; this has {size}.")

    @property
    def ends_at(self) -> datetime | None:
        """The new end as an instant: typed in the viewer's zone."""
        return instant(self.until.data) if self.until.data else None


@dataclass
class Forms:
    """The forms of the appeal's part of a page: empty, or the one that came back with a refusal."""

    appeal: AppealForm = field(default_factory=lambda: AppealForm(formdata=None))
    message: MessageForm = field(default_factory=lambda: MessageForm(formdata=None))
    decision: DecideForm = field(default_factory=lambda: DecideForm(formdata=None))

    def __post_init__(self) -> None:
        if not self.message.submission_id.data:
            self.message.submission_id.data = secrets.token_urlsafe(16)


def begun(place: Place, member_id: int) -> Forms:
    """Fresh forms, with what the member began to type and did not send. Two statements at most."""
    forms = Forms()
    if place.may_appeal and not place.key:
        kept = keeping.kept(f"/acts/{place.act.number}/appeal", member_id) or {}
        forms.appeal.statement.data = kept.get("statement", "")
    elif place.may_decide and place.is_open:
        kept = keeping.kept(f"/acts/{place.act.number}/decide", member_id) or {}
        forms.decision.reason.data = kept.get("reason", "")
        forms.decision.outcome.data = kept.get("outcome")
        with suppress(ValueError):
            forms.decision.until.process_formdata([kept["until"]] if kept.get("until") else [])
    if place.is_open and not place.key:
        kept = keeping.kept(f"/acts/{place.act.number}/messages", member_id) or {}
        forms.message.body.data = kept.get("body", "")
    return forms


# What each outcome means for an act, as the page says it.
def meaning(outcome: str, softening: str, kind: str = "") -> str:
    """What happens at once with this outcome. "" where the act (of this kind) can't come to it."""
    if outcome == Outcome.OVERTURN and kind == ActKind.REDACT:
        return "The act was wrong, and that stands in the log. The words can’t be brought back: they are nowhere any more."
    if outcome == Outcome.SOFTEN:
        return {lifting.UNTIL: "The act stands, and ends earlier.",
                lifting.TOP_ONLY: "The comment stays hidden; what was written below it comes back."}.get(softening, "")
    return {Outcome.UPHOLD: "The act stands as it is.", Outcome.OVERTURN: "The act was wrong: everything that it did is undone at once."}[Outcome(outcome)]
