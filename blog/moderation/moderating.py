"""What moderators do to words: hide and unhide. Effect and act in one transaction; nothing without a rule and a reason."""

from sqlalchemy import select

from blog.acts import recording
from blog.acts.models import Act, ActKind, TargetKind
from blog.board import versions
from blog.clock import now
from blog.comments import counting
from blog.comments.models import Comment
from blog.dates import clock_time
from blog.db import db
from blog.errors import Conflict, NotFound
from blog.moderation import cases
from blog.permissions import may_hide, may_see_post, may_unhide
from blog.posts.models import Post
from blog.viewer import Viewer

# Taking back one's own act at once is an act too, with a reason that nobody has to type.
UNDO_REASON = "Taken back by the same moderator right after the act."
# The page offers it for ten seconds; a slow line needs a few more.
UNDO_SECONDS = 20


def hide_comment(comment_id: int, by: Viewer, *, rule_id: int, reason: str) -> Act:
    """Hide a comment: a tombstone with rule and reason stands in its place, replies or not.

    Raises NotFound, NotAllowed, Invalid (no rule, no reason), Conflict (somebody was faster).
    """
    comment, _ = _comment(comment_id, by)
    may_hide(by, comment.author_id).require()
    if comment.hidden_by is not None:
        raise Conflict(already_hidden(comment.hidden_by))
    rule = recording.rule_in_force(rule_id)
    act = recording.record(ActKind.HIDE, by, person_id=comment.author_id, target=(TargetKind.COMMENT, comment_id), rule_id=rule.id,
                           reason=reason, scope="this comment only")
    comment.hidden_by = act.id
    db.session.flush()
    if comment.deleted_at is None:
        counting.count_live(comment.post_id, -1)
    counting.settle(comment_id)
    db.session.expire(comment)
    cases.answered((TargetKind.COMMENT, comment_id), act)
    return act


def unhide_comment(comment_id: int, by: Viewer, *, reason: str) -> Act:
    """Bring a comment back at its old place. The act keeps the rule of the one it lifts.

    Raises NotFound, NotAllowed, Invalid (no reason), Conflict (it is not hidden).
    """
    comment, _ = _comment(comment_id, by)
    may_unhide(by, comment.author_id).require()
    if comment.hidden_by is None:
        raise Conflict("This comment is not hidden any more.")
    act = _lift(comment.hidden_by, by, reason)
    comment.hidden_by = None
    db.session.flush()
    if comment.deleted_at is None:
        counting.count_live(comment.post_id, 1)
    counting.settle(comment_id)
    db.session.expire(comment)
    return act


def hide_post(post_id: int, by: Viewer, *, rule_id: int, reason: str) -> Act:
    """Hide a post: out of every list and feed; its page stays as a tombstone, its discussion readable and closed.

    Raises as hide_comment.
    """
    post = _post(post_id, by)
    may_hide(by, post.author_id).require()
    if post.hidden_by is not None:
        raise Conflict(already_hidden(post.hidden_by))
    rule = recording.rule_in_force(rule_id)
    act = recording.record(ActKind.HIDE, by, person_id=post.author_id, target=(TargetKind.POST, post_id), rule_id=rule.id,
                           reason=reason, scope="this post only")
    post.hidden_by = act.id
    db.session.flush()
    versions.rise()
    cases.answered((TargetKind.POST, post_id), act)
    return act


def unhide_post(post_id: int, by: Viewer, *, reason: str) -> Act:
    """Bring a post back. Raises as unhide_comment."""
    post = _post(post_id, by)
    may_unhide(by, post.author_id).require()
    if post.hidden_by is None:
        raise Conflict("This post is not hidden any more.")
    act = _lift(post.hidden_by, by, reason)
    post.hidden_by = None
    db.session.flush()
    versions.rise()
    return act


def already_hidden(act_id: int) -> str:
    """Who was faster, and when."""
    act, _ = recording.of(act_id)
    minutes = int((now() - act.created_at).total_seconds() // 60)
    ago = "just now" if minutes < 1 else f"{minutes} minute{'' if minutes == 1 else 's'} ago" if minutes < 60 else f"at {clock_time(act.created_at)}"
    return f"This is already hidden, by {act.actor_handle}, {ago} (act {act.number}). Nothing was changed."


def _lift(act_id: int, by: Viewer, reason: str) -> Act:
    act, rule = recording.of(act_id)
    own_and_fresh = act.actor_id == by.id and (now() - act.created_at).total_seconds() <= UNDO_SECONDS
    if not reason.strip() and own_and_fresh:
        reason = UNDO_REASON
    return recording.record(ActKind.UNHIDE, by, person_id=act.person_id, target=(TargetKind(act.target_kind), act.target_id), rule_id=rule.id,
                            reason=reason, scope=act.scope, undoes_id=act.id)


def _comment(comment_id: int, by: Viewer) -> tuple[Comment, Post]:
    """The comment and its post, the post's row locked and its version raised. A moderator acts on nothing that they may not see."""
    post_id = db.session.execute(select(Comment.post_id).where(Comment.id == comment_id)).scalar_one_or_none()
    if post_id is None:
        raise NotFound("There is no such comment. It may have been typed wrong.")
    counting.lock_post(post_id)
    comment = db.session.execute(select(Comment).where(Comment.id == comment_id)).scalar_one()
    post = db.session.execute(select(Post).where(Post.id == post_id)).scalar_one()
    if not may_see_post(by, post) or not comment.listed:
        raise NotFound("There is no such comment. Its writer may have deleted it.")
    return comment, post


def _post(post_id: int, by: Viewer) -> Post:
    counting.lock_post(post_id)
    post = db.session.execute(select(Post).where(Post.id == post_id)).scalar_one()
    if not may_see_post(by, post) or post.deleted_at is not None:
        raise NotFound()
    return post
