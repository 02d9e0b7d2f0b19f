"""Forms of what waits for approval: shape only."""

from typing import Any

from wtforms import HiddenField, IntegerField, StringField, TextAreaField
from wtforms.validators import Optional

from blog.forms import BoardForm, clean_line, clean_text, length


class HeldForm(BoardForm):
    """Other words for a text that waits, with the version that they started from."""

    title = StringField("Title", filters=[clean_line])
    body = TextAreaField("Text", filters=[clean_text])
    version = IntegerField(validators=[Optional()])
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
