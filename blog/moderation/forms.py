"""Forms of moderation: shape only; the deed asks for the rule and the reason's length again."""

from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import RadioField, StringField, TextAreaField, ValidationError

from blog.acts.models import Rule
from blog.acts.recording import LONGEST_REASON, SHORTEST_REASON
from blog.forms import BoardForm, clean_line, clean_text
from blog.moderation.models import ReasonTemplate
from blog.moderation.reporting import LONGEST_NOTE


def _reason_given(field: Any) -> None:
    size = len((field.data or "").strip())
    if not SHORTEST_REASON <= size <= LONGEST_REASON:
        raise ValidationError(f"Give a reason of {SHORTEST_REASON} to {LONGEST_REASON} characters; this has {size}.")


class HideForm(BoardForm):
    """Which rule, and why, as the person and everyone will read it."""

    rule = RadioField("Which rule?", choices=[], validate_choice=False)
    reason = TextAreaField("Reason, as the writer and everyone will read it", filters=[clean_text])
    templates: Sequence[ReasonTemplate] = ()

    def offer(self, rules: Sequence[Rule], templates: Sequence[ReasonTemplate] = ()) -> None:
        """Give the rules in force as choices, and reasons to begin with."""
        self.templates = templates
        self.rule.choices = [(str(rule.id), f"{rule.number}. {rule.title}") for rule in rules]

    def begin_with(self, rule_number: int, rules: Sequence[Rule]) -> None:
        """Choose beforehand the rule that most reports name."""
        self.rule.data = next((str(rule.id) for rule in rules if rule.number == rule_number), None)

    def validate_rule(self, field: Any) -> None:
        if field.data not in {value for value, _ in field.choices}:
            raise ValidationError("Choose the rule that these words break.")

    def validate_reason(self, field: Any) -> None:
        _reason_given(field)


class DismissForm(HideForm):
    """Why reports are put aside: the rule that they named, and the reason."""

    reason = TextAreaField("Reason, as reporters and everyone will read it", filters=[clean_text])

    def validate_rule(self, field: Any) -> None:
        if field.data not in {value for value, _ in field.choices}:
            raise ValidationError("Choose the rule that was reported.")


class BadFaithForm(DismissForm):
    """Why one report is dismissed as made to harm."""

    reason = TextAreaField("Reason, as whoever made the report and everyone will read it", filters=[clean_text])


class UnhideForm(BoardForm):
    """Why it comes back."""

    reason = TextAreaField("Reason, as the writer and everyone will read it", filters=[clean_text])


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
