"""Forms of comments: shape only."""

from typing import Any

from wtforms import HiddenField, TextAreaField, ValidationError

from blog.forms import BeganField, BoardForm, SubmissionField, TrapField, VersionField, clean_text, length
from blog.paging import LARGEST


class CommentForm(BoardForm):
    """A new comment or a reply."""

    body = TextAreaField("Comment", filters=[clean_text])
    parent_id = HiddenField()
    submission_id = SubmissionField()
    homepage = TrapField()
    began = BeganField()
    action = HiddenField(default="post")

    def validate_body(self, field: Any) -> None:
        length(field, 1, 20_000, "The comment")

    def validate_parent_id(self, field: Any) -> None:
        raw = (field.data or "").strip()
        if raw and not (raw.isascii() and raw.isdigit() and len(raw) <= 19 and 0 < int(raw) <= LARGEST):
            raise ValidationError("The comment that this answers can’t be found.")

    def validate_action(self, field: Any) -> None:
        if field.data not in (None, "", "post", "preview"):
            raise ValidationError("This form can post or preview, nothing else.")

    @property
    def parent(self) -> int | None:
        """Id of the comment answered, None for a new thread (or for what is no id)."""
        raw = (self.parent_id.data or "").strip()
        return int(raw) if raw.isascii() and raw.isdigit() and len(raw) <= 19 else None

    @property
    def previews(self) -> bool:
        return bool(self.action.data == "preview")


class EditCommentForm(BoardForm):
    """A comment's words anew, with the version that they started from."""

    body = TextAreaField("Comment", filters=[clean_text])
    version = VersionField()
    action = HiddenField(default="save")

    def validate_body(self, field: Any) -> None:
        length(field, 1, 20_000, "The comment")

    @property
    def previews(self) -> bool:
        return bool(self.action.data == "preview")
