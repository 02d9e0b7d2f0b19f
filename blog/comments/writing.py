"""The writer's deeds: add, edit, delete, restore. Each is one transaction's work; doors open and close it."""

import hashlib
import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.exc import IntegrityError

from blog.clock import now
from blog.comments import branches, counting, visits
from blog.comments.models import Comment, CommentRevision
from blog.comments.thread import OnPost
from blog.config import settings
from blog.dates import clock_time, span
from blog.db import db
from blog.drafts import keeping
from blog.errors import Conflict, Gone, Invalid, NotAllowed, NotFound, TooFast
from blog.filters import holding, newcomers
from blog.filters.models import HeldKind
from blog.notices.models import NoticeKind
from blog.notices.telling import tell
from blog.permissions import RESTORE_DAYS, may_comment, may_delete_comment, may_edit_comment, may_read_comment, may_reply, may_restore_comment, may_see_post
from blog.posts.models import Post
from blog.text import diffing
from blog.text.markdown import RENDERER, TextRefused, render_comment
from blog.viewer import Viewer

LONGEST = 20_000

HISTORY_PAGE = 10

# So long after sending, a deletion means "not like this": the text comes back as a draft.
UNDO = timedelta(minutes=10)

# In a slowed discussion, so many of a member's newest comments are looked at for the last one here.
SLOW_LOOKS_BACK = 500

BURIED = "A moderator hid the branch that this comment stands in, so it takes no more replies."

# A chain deeper than this is no discussion; SMALLINT holds 32,767.
DEEPEST = 10_000


@dataclass(frozen=True, slots=True)
class Words:
    """A comment's text, checked and rendered: costly, so done before the transaction begins."""

    source: str
    html: str


def words(source: str) -> Words:
    """Check and render a comment's Markdown. Raises Invalid with what is too much, or that there is nothing."""
    text = source.strip("\n").rstrip()
    if not text.strip():
        raise Invalid("The comment is empty.", "body")
    if len(text) > LONGEST:
        raise Invalid(f"A comment may have {LONGEST:,} characters; this has {len(text):,}. It is all still here: shorten it or split it.", "body")
    try:
        rendered = render_comment(text)
    except TextRefused as refused:
        raise Invalid(refused.sentence, "body") from None
    if rendered.is_blank:
        raise Invalid("Nothing of this text would be seen. Write a word or two.", "body")
    return Words(text, rendered.html)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a text: the comment's id, or the id of what waits for a moderator (filters/models.py); the other is 0."""

    comment_id: int = 0
    held_id: int = 0


def add(post_id: int, by: Viewer, text: Words, *, parent_id: int | None = None, submission_id: str | None = None) -> int:
    """Write a comment past all filters, as what fills a board by itself does; gives its id. Whoever takes a text from a person calls `send`."""
    return send(post_id, by, text, parent_id=parent_id, submission_id=submission_id, past_filters=True).comment_id


def send(post_id: int, by: Viewer, text: Words, *, parent_id: int | None = None, submission_id: str | None = None,
         signs: holding.Signs = holding.NO_SIGNS, past_filters: bool = False) -> Sent:
    """Write a comment, or a reply to `parent_id`; a filter may hold it. The same form sent again (its `submission_id` and words) is the same
    comment, or the same text that waits.

    Raises NotFound, NotAllowed, Gone (the parent's words are gone), Invalid (too deep), TooFast (the discussion is slowed down, or a
    newcomer's hour is used up), Conflict (the form was sent elsewhere meanwhile).
    """
    post = _locked(post_id)
    if not may_see_post(by, post):
        raise NotFound()
    if submission_id:
        before, is_taken = _sent(by, submission_id, post_id, parent_id, text.source)
        if before is None and is_taken:
            # Other words in the same form (Back, a second tab): another comment, and none is lost. It has a key too, so that it is sent once.
            submission_id = hashlib.sha256(f"{submission_id} {post_id} {parent_id} {text.source}".encode()).hexdigest()
            before, _ = _sent(by, submission_id, post_id, parent_id, text.source)
        if before is not None:
            return before
    needs_verified = settings().writing_needs_verified
    parent: Any = None
    if parent_id is None:
        may_comment(by, post, needs_verified).require()
    else:
        # The address and the row must agree: a parent in another post does not exist here.
        parent = db.session.execute(
            select(Comment.id, Comment.author_id, Comment.root_id, Comment.depth, Comment.version, Comment.deleted_at, Comment.hidden_by,
                   Comment.listed, Comment.closed, branches.closed_above("above").label("buried_by"))
            .where(Comment.id == parent_id, Comment.post_id == post_id), {"above": parent_id}
        ).one_or_none()
        if parent is None:
            raise NotFound("The comment that this answers is not in this discussion.")
        may_reply(by, parent, post, needs_verified).require()
        if parent.buried_by is not None:
            raise NotAllowed(BURIED)
        if parent.depth >= DEEPEST:
            raise Invalid("This branch is as deep as a branch can be. Answer further up, or begin a new thread.", "body")
    _wait_in_slow(post, by)
    if not past_filters:
        standing = newcomers.standing(by)
        newcomers.spend_comment(by, standing)
        found = holding.cause(by, text.html, standing, signs=signs)
        if found is not None:
            return Sent(held_id=holding.hold(by, found, HeldKind.COMMENT, post_id=post_id, source=text.source, html=text.html, parent_id=parent_id,
                                             parent_version=parent.version if parent else None, submission_id=submission_id))
    return Sent(place(post_id, by, text, parent, submission_id=submission_id))


def place(post_id: int, by: Viewer, text: Words, parent: Any, *, submission_id: str | None = None, parent_version: int | None = None) -> int:
    """Give a comment by `by` its number and its place under `parent` (its id, author_id, root_id, depth and version; None: a new thread), count it,
    and tell whom it concerns.

    For `send`, and for a moderator who approves a text that waited: whoever calls has asked everything else, and holds the post's row.
    """
    moment = now()
    seq, post_author_id = db.session.execute(
        update(Post).where(Post.id == post_id)
        .values(last_seq=Post.last_seq + 1, comment_count=Post.comment_count + 1, version=Post.version + 1, active_at=moment)
        .returning(Post.last_seq, Post.author_id)
    ).one()
    comment = Comment(
        post_id=post_id, seq=seq, parent_id=parent.id if parent else None, root_id=(parent.root_id or parent.id) if parent else None,
        depth=parent.depth + 1 if parent else 1, active_seq=seq, author_id=by.id, html=text.html, renderer=RENDERER, version=1,
        parent_version=parent_version or (parent.version if parent else None), submission_id=submission_id, created_at=moment,
    )
    db.session.add(comment)
    try:
        db.session.flush()
    except IntegrityError as error:
        # Only one thing can collide while the post is ours: the same form sent to two posts at once.
        raise Conflict(holding.SENT_ELSEWHERE, mine=text.source) from error
    db.session.add(CommentRevision(comment_id=comment.id, version=1, source=text.source, created_at=moment))
    db.session.flush()
    if parent:
        root_id = parent.root_id or parent.id
        db.session.execute(
            update(Comment).where(Comment.id.in_({parent.id, root_id})).values(
                reply_count=Comment.reply_count + case((Comment.id == parent.id, 1), else_=0),
                active_seq=case((Comment.id == root_id, seq), else_=Comment.active_seq),
            ),
            execution_options={"synchronize_session": False},
        )
    visits.moved_with_own(by.id, post_id, seq)
    tell_of(comment.id, by.id, post_id=post_id, post_author_id=post_author_id, parent_id=parent.id if parent else None,
            parent_author_id=parent.author_id if parent else None)
    return comment.id


def _sent(by: Viewer, submission_id: str, post_id: int, parent_id: int | None, source: str) -> tuple[Sent | None, bool]:
    """What this form made before of these very words, and whether it made anything. Two statements, three where it made a comment."""
    sent = db.session.execute(
        select(Comment.id, Comment.post_id, Comment.parent_id).where(Comment.author_id == by.id, Comment.submission_id == submission_id)
    ).one_or_none()
    if sent is not None and (sent.post_id, sent.parent_id) == (post_id, parent_id) and first_source_of(sent.id) == source:
        return Sent(int(sent.id)), True
    held = holding.sent_before(by, submission_id, post_id=post_id, parent_id=parent_id, source=source)
    if held is not None and held.is_same:
        return Sent(held.comment_id, 0 if held.comment_id else held.held_id), True
    return None, sent is not None or held is not None


def tell_of(comment_id: int, by_id: int, *, post_id: int, post_author_id: int, parent_id: int | None, parent_author_id: int | None) -> None:
    """Tell whom a new comment concerns: who wrote the comment that it answers, and the post's author. Nobody twice, and nobody of their
    own. Two statements at most."""
    if parent_author_id is not None:
        tell(parent_author_id, NoticeKind.REPLY, comment_id, by_id=by_id, group=str(parent_id))
    if post_author_id != parent_author_id:
        tell(post_author_id, NoticeKind.COMMENT, comment_id, by_id=by_id, group=str(post_id))


def _wait_in_slow(post: Any, by: Viewer) -> None:
    """Raises TooFast for a member whose last comment in a slowed discussion is too recent; moderators answer for it and are not slowed.
    One statement in such a discussion, none elsewhere."""
    if not post.slow_seconds or by.is_moderator or not settings().ratelimit_enabled:
        return
    pause = timedelta(seconds=post.slow_seconds)
    # The index holds a member's comments newest first; what was written elsewhere meanwhile is stepped over, up to a bound.
    latest = select(Comment.post_id, Comment.created_at).where(Comment.author_id == by.id).order_by(Comment.id.desc()).limit(SLOW_LOOKS_BACK).subquery()
    last = db.session.execute(select(func.max(latest.c.created_at)).where(latest.c.post_id == post.id)).scalar_one()
    until = last + pause if last is not None else None
    if until is not None and until > now():
        seconds = math.ceil((until - now()).total_seconds())
        raise TooFast(f"This discussion is slowed down: one comment of each member in {span(post.slow_seconds)}. You can go on at {clock_time(until)}."
                      " What you typed is still here.", seconds, until)


def edit(comment_id: int, by: Viewer, text: Words, *, version: int | None, past_filters: bool = False) -> Sent:
    """Change a comment's words; the earlier ones stay as a revision. Saving what stands there already changes nothing. A filter may hold the
    change, and then the earlier words stand until a moderator has read it.

    Raises NotFound, NotAllowed, and Conflict with both texts when `version` is not the newest (None: not asked).
    """
    if source_of(comment_id) == text.source:  # asked before the thread is locked and its version raised for nothing
        may_change(comment_id, by)
        return Sent(comment_id)
    comment = _comment(comment_id)
    may_edit_comment(by, comment).require()
    current = source_of(comment_id)
    if version is not None and version != comment.version:
        raise Conflict("You changed this comment elsewhere in the meantime. Both texts are below; nothing was saved.",
                       mine=text.source, theirs=current, version=comment.version)
    if not past_filters:
        found = holding.cause(by, text.html, newcomers.standing(by), before=comment.html)
        if found is not None:
            return Sent(held_id=holding.hold(by, found, HeldKind.EDIT, post_id=comment.post_id, comment_id=comment_id, source=text.source, html=text.html))
        holding.overtaken(by, HeldKind.EDIT, post_id=comment.post_id, comment_id=comment_id)
    revise(comment, text)
    return Sent(comment_id)


def revise(comment: Comment, text: Words) -> None:
    """Give a comment its next version. Whoever calls has asked everything else, and holds the post's row."""
    moment = now()
    comment.version += 1
    comment.html, comment.renderer, comment.edited_at = text.html, RENDERER, moment
    db.session.add(CommentRevision(comment_id=comment.id, version=comment.version, source=text.source, created_at=moment))
    db.session.flush()


def delete(comment_id: int, by: Viewer) -> str:
    """The writer takes a comment back. With replies a tombstone stays. The words are kept, closed to readers, for 30 days. Twice is once.

    Gives the words, if they are back as a draft of the form that they came from; else "".
    """
    comment = _comment(comment_id)
    may_delete_comment(by, comment).require()
    if comment.deleted_at is not None:
        return ""
    comment.deleted_at = now()
    comment.html = ""
    db.session.flush()
    if comment.hidden_by is None:
        counting.count_live(comment.post_id, -1)
    counting.settle(comment_id)
    given_back = ""
    if comment.deleted_at - comment.created_at < UNDO and comment.reply_count == 0:
        # Taken back right after sending: the words are wanted again, in the form that they came from.
        fields = {"body": source_of(comment_id), **({"parent_id": str(comment.parent_id)} if comment.parent_id else {})}
        target = keeping.of_comments(comment.post_id, comment.parent_id)
        if keeping.kept(target, by.id) is None:  # never over something newer
            keeping.keep(target, fields, member_id=by.id)
            given_back = fields["body"]
    db.session.expire(comment)
    return given_back


def restore(comment_id: int, by: Viewer) -> None:
    """The writer brings a deleted comment back at its old place. Hidden stays hidden: these are two facts. Twice is once."""
    comment = _comment(comment_id)
    may_restore_comment(by, comment, now()).require()
    if comment.deleted_at is None:
        return
    source = source_of(comment_id)
    if not source:
        raise Gone("The words of this comment are gone for good.")
    comment.deleted_at = None
    comment.html = words(source).html
    comment.renderer = RENDERER
    db.session.flush()
    if comment.hidden_by is None:
        counting.count_live(comment.post_id, 1)
    counting.settle(comment_id)
    target = keeping.of_comments(comment.post_id, comment.parent_id)
    if (keeping.kept(target, by.id) or {}).get("body") == source:  # the deletion gave it back as a draft
        keeping.drop(target, by.id)
    db.session.expire(comment)


def may_change(comment_id: int, by: Viewer) -> None:
    """Raises NotAllowed unless this person may edit the comment: asked before its form is shown."""
    asked = select(Comment.author_id, Comment.deleted_at, Comment.hidden_by, Comment.listed, Comment.closed).where(Comment.id == comment_id)
    row = db.session.execute(asked).one_or_none()
    if row is None:
        raise NotFound("There is no such comment. It may have been typed wrong.")
    may_edit_comment(by, row).require()


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of a comment as it was typed, and how it differs from the one before."""

    version: int
    source: str
    created_at: datetime
    changes: list[diffing.Line]  # empty for the first


def history(on: OnPost, by: Viewer, before: int | None = None) -> tuple[list[Revision], str]:
    """A page of versions, newest first, from those older than `before` on; and the cursor of the next page. One statement.

    For whoever may read the comment's words now. Raises NotAllowed.
    """
    may_read_comment(by, on.comment, on.post).require()
    asked = select(CommentRevision.version, CommentRevision.source, CommentRevision.created_at).where(CommentRevision.comment_id == on.comment.id)
    if before is not None:
        asked = asked.where(CommentRevision.version < before)
    rows = db.session.execute(asked.order_by(CommentRevision.version.desc()).limit(HISTORY_PAGE + 1)).all()
    shown = [
        Revision(row.version, row.source, row.created_at, diffing.compare(earlier.source, row.source) if earlier else [])
        for row, earlier in zip(rows[:HISTORY_PAGE], [*rows[1:], None], strict=False)
    ]
    return shown, str(shown[-1].version) if len(rows) > HISTORY_PAGE else ""


def quoted(on: OnPost) -> str:
    """A comment's own words as a quote that names and links it, to begin a reply with. What it quotes itself is left out. One statement."""
    own = [line for line in source_of(on.comment.id).splitlines() if not line.lstrip().startswith(">")]
    lines = [f"> {line}".rstrip() for line in "\n".join(own).strip().splitlines()]
    return "\n".join([credit(on), "", *lines, "", ""])


def credit(on: OnPost) -> str:
    """The line above a quote: names and links the comment that it is from."""
    name = re.sub(r"([\\`*_\[\]<>])", r"\\\1", on.comment.display_name)
    return f"[{name}](/comments/{on.comment.id}):"


def first_source_of(comment_id: int) -> str:
    """The Markdown as it was first sent. One statement."""
    first = select(CommentRevision.source).where(CommentRevision.comment_id == comment_id, CommentRevision.version == 1)
    return db.session.execute(first).scalar_one_or_none() or ""


def empty_deleted() -> int:
    """Empty all revisions of comments that can't be restored any more; says how many. One statement."""
    gone = select(Comment.id).where(Comment.deleted_at < now() - timedelta(days=RESTORE_DAYS))
    emptied = update(CommentRevision).where(CommentRevision.comment_id.in_(gone), CommentRevision.source != "").values(source="")
    return int(db.session.execute(emptied, execution_options={"synchronize_session": False}).rowcount)  # type: ignore[attr-defined]


def source_of(comment_id: int) -> str:
    """The Markdown of the newest revision. One statement."""
    newest = select(CommentRevision.source).where(CommentRevision.comment_id == comment_id).order_by(CommentRevision.version.desc()).limit(1)
    return db.session.execute(newest).scalar_one_or_none() or ""


def _comment(comment_id: int) -> Comment:
    """The row, its post locked: so nothing in the thread moves until the transaction ends."""
    post_id = db.session.execute(select(Comment.post_id).where(Comment.id == comment_id)).scalar_one_or_none()
    if post_id is None:
        raise NotFound("There is no such comment. It may have been typed wrong.")
    counting.lock_post(post_id)
    return db.session.execute(select(Comment).where(Comment.id == comment_id)).scalar_one()


def _locked(post_id: int) -> Any:
    """The post's facts, its row locked (SQLite: the whole transaction is)."""
    facts = select(Post.id, Post.author_id, Post.state, Post.deleted_at, Post.hidden_by, Post.locked_by,
                   Post.slow_seconds).where(Post.id == post_id).with_for_update()
    row = db.session.execute(facts).one_or_none()
    if row is None:
        raise NotFound()
    return row
