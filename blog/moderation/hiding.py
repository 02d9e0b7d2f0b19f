"""Hiding what somebody wrote, and bringing it back. Effect, act and notice in one transaction; nothing without a rule and a reason."""


from blog.acts import recording
from blog.acts.models import Act, ActKind, TargetKind
from blog.board import versions
from blog.comments import counting
from blog.db import db
from blog.errors import Conflict
from blog.moderation import below, cases, lifting, targets
from blog.permissions import may_hide, may_unhide
from blog.viewer import Viewer


def hide_comment(comment_id: int, by: Viewer, *, rule_id: int, reason: str, with_replies: bool = False) -> Act:
    """Hide a comment: a tombstone with rule and reason stands in its place, replies or not. `with_replies`: nothing below it is shown either,
    however much it is; whoever wrote there is told by a job.

    Raises NotFound, NotAllowed, Invalid (no rule, no reason), Conflict (somebody was faster).
    """
    comment, _ = targets.comment(comment_id, by)
    may_hide(by, comment.author_id).require()
    if comment.hidden_by is not None:
        raise recording.already(comment.hidden_by, "hidden")
    rule = recording.rule_in_force(rule_id)
    act = recording.record(ActKind.HIDE, by, person_id=comment.author_id, target=(TargetKind.COMMENT, comment_id), rule_id=rule.id,
                           reason=reason, scope=targets.BRANCH if with_replies else targets.COMMENT_ONLY)
    comment.hidden_by = act.id
    if with_replies:
        comment.closed = True
        below.plan(act, comment_id)
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
    comment, _ = targets.comment(comment_id, by)
    may_unhide(by, comment.author_id).require()
    if comment.hidden_by is None:
        raise Conflict("This comment is not hidden any more.")
    return lifting.lift(recording.of(comment.hidden_by)[0], ActKind.UNHIDE, by, reason)


def hide_post(post_id: int, by: Viewer, *, rule_id: int, reason: str) -> Act:
    """Hide a post: out of every list and feed; its page stays as a tombstone, its discussion readable and closed.

    Raises as hide_comment.
    """
    post = targets.post(post_id, by)
    may_hide(by, post.author_id).require()
    if post.hidden_by is not None:
        raise recording.already(post.hidden_by, "hidden")
    rule = recording.rule_in_force(rule_id)
    act = recording.record(ActKind.HIDE, by, person_id=post.author_id, target=(TargetKind.POST, post_id), rule_id=rule.id,
                           reason=reason, scope=targets.POST_ONLY)
    post.hidden_by = act.id
    db.session.flush()
    versions.rise()
    cases.answered((TargetKind.POST, post_id), act)
    return act


def unhide_post(post_id: int, by: Viewer, *, reason: str) -> Act:
    """Bring a post back. Raises as unhide_comment."""
    post = targets.post(post_id, by)
    may_unhide(by, post.author_id).require()
    if post.hidden_by is None:
        raise Conflict("This post is not hidden any more.")
    return lifting.lift(recording.of(post.hidden_by)[0], ActKind.UNHIDE, by, reason)
