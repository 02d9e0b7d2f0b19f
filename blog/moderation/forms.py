"""Forms of moderation: shape only; the deed asks for the rule and the reason's length again."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from wtforms import RadioField, StringField, TextAreaField, ValidationError

from blog.acts.models import Rule
from blog.acts.recording import LONGEST_REASON, SHORTEST_REASON
from blog.clock import now
from blog.config import settings
from blog.dates import local, span
from blog.forms import BoardForm, clean_line, clean_text
from blog.moderation.models import ReasonTemplate
from blog.moderation.reporting import LONGEST_NOTE
from blog.text.names import is_blank
from blog.viewer import viewer


def _reason_given(field: Any) -> None:
    size = 0 if is_blank(field.data or "") else len((field.data or "").strip())
    if not SHORTEST_REASON <= size <= LONGEST_REASON:
        raise ValidationError(f"Give a reason of {SHORTEST_REASON} to {LONGEST_REASON} characters; this has {size}.")


class ReasonForm(BoardForm):
    """Why an act is taken back. Empty is a shape too: whoever takes back their own act at once need not say why; the deed asks others."""

    reason = TextAreaField("Reason", filters=[clean_text])

    def facts(self) -> dict[str, Any]:
        """What the deed takes."""
        return {"reason": self.reason.data or ""}


class ActForm(BoardForm):
    """Which rule, and why, as the person and everyone will read it."""

    rule = RadioField("Which rule?", choices=[], validate_choice=False)
    reason = TextAreaField("Reason", filters=[clean_text])
    templates: Sequence[ReasonTemplate] = ()

    def offer(self, rules: Sequence[Rule], templates: Sequence[ReasonTemplate] = ()) -> None:
        """Give the rules in force as choices, and reasons to begin with."""
        self.templates = templates
        self.rule.choices = [(str(rule.id), f"{rule.number}. {rule.title}") for rule in rules]

    def begin_with(self, rule_number: int, rules: Sequence[Rule]) -> None:
        """Choose beforehand the rule that most reports name."""
        self.rule.data = next((str(rule.id) for rule in rules if rule.number == rule_number), None)

    @property
    def chosen_rule(self) -> str:
        """The rule chosen, as its choice reads; "" for none."""
        return next((title for value, title in self.rule.choices or () if value == self.rule.data), "")

    def validate_rule(self, field: Any) -> None:
        if field.data not in {value for value, _ in field.choices}:
            raise ValidationError("Choose the rule that this is about.")

    def validate_reason(self, field: Any) -> None:
        _reason_given(field)

    def facts(self) -> dict[str, Any]:
        """What the deed takes."""
        return {"rule_id": int(self.rule.data), "reason": self.reason.data}


class HideForm(ActForm):
    """Hiding a comment: it alone, or all that hangs on it too."""

    scope = StringField("How much?", default="comment")
    SCOPES = (("comment", "This comment only"), ("branch", "This comment and everything below it"))

    def validate_scope(self, field: Any) -> None:
        if field.data not in (None, "", "comment", "branch"):
            raise ValidationError("Hide the comment alone, or with everything below it.")

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "with_replies": self.scope.data == "branch"}


class TimedForm(ActForm):
    """An act that may end by itself. `until` is written in the zone that the viewer's pages show: a day, or a day with a time."""

    until = StringField("Until", filters=[clean_line])
    # How long it lasts if nobody chose, in days, and how that is told.
    DAYS = 1
    WITHOUT_END = "Left empty, it lasts until a moderator lifts it."

    def suggest(self) -> None:
        """Begin with a usual end."""
        self.until.data = f"{local(now() + timedelta(days=self.DAYS)):%Y-%m-%dT%H:00}"

    def validate_until(self, field: Any) -> None:
        try:
            self.ends_at()
        except (ValueError, OverflowError):
            raise ValidationError("Write the end as a day or as a day with a time: 2026-05-11 or 2026-05-11T09:00.") from None

    def ends_at(self) -> datetime | None:
        """The end as an instant; None for none. Raises ValueError, OverflowError."""
        if not self.until.data:
            return None
        moment = datetime.fromisoformat(self.until.data)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(viewer().zone or settings().zone))).astimezone(UTC)

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "until": self.ends_at()}


class SuspendForm(TimedForm):
    """A suspension, which has an end; only administrators may leave it open."""

    DAYS = 7
    WITHOUT_END = "Only administrators may leave it empty; it then lasts until it is lifted."


class SlowForm(TimedForm):
    """A discussion slowed down: how long each member waits between two comments."""

    seconds = StringField("One comment of each member in", default="300")
    PACES = tuple((str(pace), span(pace)) for pace in (30, 60, 300, 900, 3_600, 21_600, 86_400))

    def validate_seconds(self, field: Any) -> None:
        if not (field.data or "").isascii() or not (field.data or "").isdigit() or len(field.data) > 6:
            raise ValidationError("Choose how long each member waits between two comments.")

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "seconds": int(self.seconds.data)}


class DismissForm(ActForm):
    """Why reports are put aside: the rule that they named, and the reason."""

    reason = TextAreaField("Reason, as reporters and everyone will read it", filters=[clean_text])

    def validate_rule(self, field: Any) -> None:
        if field.data not in {value for value, _ in field.choices}:
            raise ValidationError("Choose the rule that was reported.")


class BadFaithForm(DismissForm):
    """Why one report is dismissed as made to harm."""

    reason = TextAreaField("Reason, as whoever made the report and everyone will read it", filters=[clean_text])


class ReportForm(BoardForm):
    """Which rule, and what moderators should know."""

    rule = RadioField("Which rule?", choices=[], validate_choice=False)
    note = TextAreaField("What should moderators know?", filters=[clean_text])

    def offer(self, rules: Sequence[Rule]) -> None:
        """Give the rules in force as choices."""
        self.rule.choices = [(str(rule.id), f"{rule.number}. {rule.title}") for rule in rules]

    def begin_with(self, rule_id: int, note: str, kept: Mapping[str, Any]) -> None:
        """Fill in what was reported before, or what was typed and not sent."""
        self.rule.data = str(kept.get("rule", rule_id or ""))
        self.note.data = str(kept.get("note", note))

    def validate_rule(self, field: Any) -> None:
        if field.data not in {value for value, _ in field.choices}:
            raise ValidationError("Choose the rule that you think is broken.")

    def validate_note(self, field: Any) -> None:
        if len((field.data or "").strip()) > LONGEST_NOTE:
            raise ValidationError(f"A note may have {LONGEST_NOTE:,} characters; this has {len(field.data):,}. It is all still here: shorten it.")


class NoteForm(BoardForm):
    """What a moderator notes about a member."""

    body = TextAreaField("A note, for moderators only", filters=[clean_text])


class RuleForm(BoardForm):
    """A rule of the board."""

    title = StringField("The rule, in a line", filters=[clean_line])
    text = TextAreaField("What it means", filters=[clean_text])


class TemplateForm(BoardForm):
    """A reason that is often given."""

    title = StringField("Name on the button", filters=[clean_line])
    reason = TextAreaField("The reason to begin with", filters=[clean_text])
