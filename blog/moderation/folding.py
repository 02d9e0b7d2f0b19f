"""What a post's author may do to comments under their post: fold one away with a reason, and unfold it. Anybody can open it; nothing is hidden."""

from blog.acts import recording
from blog.acts.models import Act, ActKind, TargetKind
from blog.db import db
from blog.errors import Conflict
from blog.moderation import lifting, targets
from blog.permissions import may_put_aside
from blog.viewer import Viewer


def put_aside(comment_id: int, by: Viewer, *, rule_id: int, reason: str) -> Act:
    """Fold a comment away where it stands. Its writer is told and can appeal, which a moderator decides.

    Raises NotFound, NotAllowed, Invalid (rule, reason), Conflict (it is folded already, or its words are gone).
    """
    comment, post = targets.comment(comment_id, by)
    may_put_aside(by, post.author_id, comment.author_id).require()
    if comment.aside_by is not None:
        raise recording.already(comment.aside_by, "put aside")
    if comment.deleted_at is not None or comment.hidden_by is not None:
        raise Conflict("The words of this comment are gone meanwhile, so there is nothing to put aside.")
    rule = recording.rule_in_force(rule_id)
    act = recording.record(ActKind.ASIDE, by, person_id=comment.author_id, target=(TargetKind.COMMENT, comment_id), rule_id=rule.id, reason=reason,
                           scope=targets.COMMENT_ONLY)
    comment.aside_by = act.id
    db.session.flush()
    return act


def bring_back(comment_id: int, by: Viewer, *, reason: str) -> Act:
    """Unfold a comment. Raises NotFound, NotAllowed, Invalid (reason), Conflict (it is not folded)."""
    comment, post = targets.comment(comment_id, by)
    may_put_aside(by, post.author_id, comment.author_id).require()
    if comment.aside_by is None:
        raise Conflict("This comment is not put aside any more.")
    return lifting.lift(recording.of(comment.aside_by)[0], ActKind.BACK, by, reason)
