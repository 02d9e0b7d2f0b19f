"""What the templates of a discussion ask besides its rows: who looks, at which post, and what they may press."""

import secrets
from dataclasses import dataclass, field

from blog.clock import now
from blog.comments.thread import PostOf, Shown
from blog.comments.visits import NEVER, Seen
from blog.config import settings
from blog.permissions import (
    Ruling,
    may_comment,
    may_delete_comment,
    may_edit_comment,
    may_hide,
    may_put_aside,
    may_reply,
    may_report,
    may_restore_comment,
    may_thank,
    may_unhide,
    may_write,
)
from blog.viewer import Viewer

# A stranger may write first and sign in afterwards: the text comes along.
SIGN_IN_AFTERWARDS = "You sign in or join on the next page; your text comes with you."


@dataclass(frozen=True, slots=True)
class Talk:
    """Rulings for one viewer in one discussion. No query: everything was loaded with the page."""

    viewer: Viewer
    post: PostOf
    needs_verified: bool = field(default_factory=lambda: settings().writing_needs_verified)
    seen: Seen = NEVER
    thanked: frozenset[int] = frozenset()  # comments on this page that the viewer thanked for
    next_new: dict[int, str] = field(default_factory=dict)  # new comments on this page, each with the address of the next one

    @property
    def may_begin(self) -> Ruling:
        """Whether the form for a new comment is shown; a stranger gets it, with the sentence about signing in."""
        ruling = may_comment(self.viewer, self.post, self.needs_verified)
        return ruling if ruling or self.viewer.is_member else self._as_member(may_comment(_ANYBODY, self.post))

    def may_reply(self, row: Shown) -> Ruling:
        ruling = may_reply(self.viewer, row, self.post, self.needs_verified)
        return ruling if ruling or self.viewer.is_member else self._as_member(may_reply(_ANYBODY, row, self.post))

    @staticmethod
    def _as_member(ruling: Ruling) -> Ruling:
        return Ruling(True, SIGN_IN_AFTERWARDS) if ruling else ruling

    @property
    def writes(self) -> Ruling:
        """Whether this person may write on this board at all."""
        return may_write(self.viewer, self.needs_verified)

    def is_particular(self, row: Shown) -> bool:
        """Whether the viewer's line under this comment differs from the one of others of their kind."""
        return self.is_own(row) or row.id in self.thanked or self.is_new(row)

    def is_new(self, row: Shown) -> bool:
        return self.seen.is_new(row.seq, row.author_id, self.viewer)

    def leads_to_new(self, row: Shown) -> str:
        """Where the mark of a new comment leads: to the next one in reading order, or by number where the page does not know it."""
        return self.next_new.get(row.id) or f"{self.post.path}?newer={row.seq}"

    def may_thank(self, row: Shown) -> bool:
        return bool(may_thank(self.viewer, row.author_id, not row.is_tombstone, self.needs_verified))

    def is_own(self, row: Shown) -> bool:
        return self.viewer.is_member and row.author_id == self.viewer.id

    def may_edit(self, row: Shown) -> bool:
        return bool(may_edit_comment(self.viewer, row))

    def may_delete(self, row: Shown) -> bool:
        return not row.is_deleted and bool(may_delete_comment(self.viewer, row))

    def may_restore(self, row: Shown) -> bool:
        return row.is_deleted and bool(may_restore_comment(self.viewer, row, now()))

    def may_report(self, row: Shown) -> bool:
        return bool(may_report(self.viewer, row.author_id, not row.is_tombstone))

    def may_hide(self, row: Shown) -> bool:
        return not row.is_hidden and not row.is_deleted and bool(may_hide(self.viewer, row.author_id))

    def may_unhide(self, row: Shown) -> bool:
        return row.is_hidden and not row.redacted and bool(may_unhide(self.viewer, row.author_id))

    def may_put_aside(self, row: Shown) -> bool:
        return row.aside_by is None and not row.is_tombstone and bool(may_put_aside(self.viewer, self.post.author_id, row.author_id))

    def may_bring_back(self, row: Shown) -> bool:
        return row.aside_by is not None and not row.is_tombstone and bool(may_put_aside(self.viewer, self.post.author_id, row.author_id))

    def may_see_words(self, row: Shown) -> bool:
        """Whether a tombstone's words wait for this viewer on the comment's own page."""
        return row.is_hidden and not row.is_deleted and not row.redacted and (self.is_own(row) or self.viewer.is_moderator)

    def submission_id(self) -> str:
        """A fresh one for a form; "" on pages that are the same for all strangers."""
        return secrets.token_urlsafe(18) if self.viewer.is_member else ""


_ANYBODY = Viewer(id=-1, verified=True)
