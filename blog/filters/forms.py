"""Forms of what waits for approval: shape only."""

from collections.abc import Sequence
from typing import Any

from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice

from blog.acts.models import Rule
from blog.filters.listing import KINDS
from blog.forms import BoardForm, NumberField, VersionField, clean_line, clean_text, length


class HeldForm(BoardForm):
    """Other words for a text that waits, with the version that they started from."""

    title = StringField("Title", filters=[clean_line])
    body = TextAreaField("Text", filters=[clean_text])
    version = VersionField()
    action = HiddenField(default="save")

    def validate_body(self, field: Any) -> None:
        length(field, 1, 100_000, "The text")

    @property
    def previews(self) -> bool:
        return bool(self.action.data == "preview")


class ApproveForm(BoardForm):
    """A button, and what a moderator may say with it. `place` "root": a reply becomes a comment of its own."""

    place = HiddenField()
    reason = TextAreaField("Reason", filters=[clean_text])

    @property
    def as_root(self) -> bool:
        return bool(self.place.data == "root")


class LineForm(BoardForm):
    """A line for one of the board's lists."""

    kind = RadioField("Which list?", choices=[SelectChoice(kind.value, words) for kind, words in KINDS.items()], validate_choice=False)
    pattern = StringField("Word, phrase or domain", filters=[clean_line])
    told = StringField("What the writer is told", filters=[clean_line])
    rule = SelectField("Rule", choices=[], validate_choice=False)

    def offer(self, rules: Sequence[Rule]) -> None:
        """Give the rules in force as choices."""
        self.rule.choices = [SelectChoice(str(rule.id), f"{rule.number}. {rule.title}") for rule in rules]

    def validate_kind(self, field: Any) -> None:
        if field.data not in {kind.value for kind in KINDS}:
            raise ValidationError("Choose which list the line belongs to.")

    def validate_rule(self, field: Any) -> None:
        if field.data not in {choice.value for choice in field.choices}:
            raise ValidationError("Choose the rule that the line stands for.")


class InvitationForm(BoardForm):
    """A new invitation, or one to end: the fields decide which."""

    uses = NumberField("For how many people")
    end = HiddenField()

    def validate_end(self, field: Any) -> None:
        raw = field.data or ""
        if raw and not (raw.isascii() and raw.isdigit() and len(raw) < 19):
            raise ValidationError("That invitation is not one of yours.")
