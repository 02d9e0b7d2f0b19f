"""The form of a post: shape only."""

from typing import Any

from wtforms import Field, HiddenField, StringField, TextAreaField, ValidationError
from wtforms.widgets import TextInput

from blog.errors import Invalid
from blog.forms import BoardForm, SubmissionField, VersionField, clean_line, clean_text, length
from blog.posts.composing import LONGEST_TEXT, LONGEST_TITLE
from blog.topics import naming

# What the buttons say. Publishing at a later hour is not possible yet.
ACTIONS = ("publish", "draft", "preview")


class TopicsField(Field):
    """Topics by name: with commas, or one field for each. None where the form did not say anything about them."""

    widget = TextInput()
    data: str | None

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist:
            self.data = clean_line(", ".join(valuelist))

    def _value(self) -> str:
        return self.data or ""


class PostForm(BoardForm):
    """A post as it is typed. `version` is the number of the revision that an edit started from, `topics_were` its topics then: no
    revision keeps those."""

    title = StringField("Title", filters=[clean_line])
    body = TextAreaField("Text", filters=[clean_text])
    topics = TopicsField("Topics")
    submission_id = SubmissionField()
    version = VersionField()
    topics_were = HiddenField(filters=[clean_line])
    action = HiddenField(default="publish")

    def validate_action(self, field: Any) -> None:
        if field.data == "schedule":
            raise ValidationError("Publishing at a later hour is not possible yet. Save a draft, and publish it when it is time.")
        if field.data and field.data not in ACTIONS:
            raise ValidationError("This form can publish, save a draft or preview, nothing else.")

    def validate_title(self, field: Any) -> None:
        if self.previews and not field.data:
            return
        length(field, 1, LONGEST_TITLE, "The title")

    def validate_body(self, field: Any) -> None:
        length(field, 1, LONGEST_TEXT, "The text")

    def validate_topics(self, field: Any) -> None:
        try:
            naming.split([field.data or ""])
        except Invalid as refusal:
            raise ValidationError(refusal.sentence) from None

    @property
    def previews(self) -> bool:
        return bool(self.action.data == "preview")

    @property
    def drafts(self) -> bool:
        """Whether the button keeps the post a draft."""
        return bool(self.action.data == "draft")

    @property
    def topic_names(self) -> list[str] | None:
        """The topics named, None where the form had no field for them."""
        return None if self.topics.data is None else naming.split([self.topics.data])

    @property
    def topic_names_before(self) -> list[str] | None:
        """The topics that the form began from, None where it does not say."""
        try:
            return None if self.topics_were.data is None else naming.split([self.topics_were.data])
        except Invalid:
            return None
