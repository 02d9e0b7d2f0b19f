"""What moderators decide about what waits: a text or post is approved, which lets it out, or rejected, which gives it back to its writer."""

from typing import Any

from sqlalchemy import select

from blog.acts import recording
from blog.acts.models import Act, ActKind, TargetKind
from blog.comments import branches, counting
from blog.comments import writing as comments
from blog.comments.models import Comment
from blog.db import db
from blog.errors import Conflict, NotFound
from blog.filters import held as waiting
from blog.filters.models import HeldKind, HeldState, HeldText
from blog.notices.models import NoticeKind
from blog.notices.telling import tell
from blog.permissions import may_decide_held
from blog.posts import composing, publishing, revising
from blog.posts.models import Post, PostState
from blog.viewer import Viewer

# Where a moderator gives no reason of their own.
APPROVED = "A moderator read it and found nothing against it."

CHANGED = "Its writer changed this since you read it. Nothing was decided: read what stands there now."
TAKEN_BACK = "Its writer took this back meanwhile. Nothing was changed."


class ParentGone(Conflict):
    """What a reply answers can't be answered any more; a moderator chooses: a comment of its own, or rejected."""


def approve_text(held_id: int, by: Viewer, *, reason: str = "", as_root: bool = False, version: int | None = None) -> Act:
    """Let a text out: a comment gets its number now and is new then, a change becomes the next version. Its writer is told.

    `as_root`: a reply becomes a comment of its own. `version`: of the words that were read (None: not asked). Raises NotFound, NotAllowed,
    Invalid (the reason), ParentGone, Conflict (decided, changed or taken back meanwhile, or its place is gone).
    """
    held = _undecided(held_id, by)
    if version is not None and version != held.version:
        raise Conflict(CHANGED)
    hold, _ = recording.of(held.held_by or 0)
    act = recording.record(ActKind.APPROVE, by, person_id=held.author_id, target=(TargetKind.HELD, held_id), rule_id=hold.rule_id,
                           reason=reason.strip() or APPROVED, scope=hold.scope.partition(",")[0], undoes_id=hold.id,
                           is_told=held.kind == HeldKind.POST_EDIT)  # of a comment, let_out tells where it stands now
    held.decided_by = act.id
    let_out(held, as_root=as_root)
    return act


def let_out(held: HeldText, *, as_root: bool = False, past_locks: bool = False) -> None:
    """The effect alone: what waits or was rejected comes to its place, and its writer is told. For an approval, and for whatever undoes a rejection
    (`past_locks`: it was written before the discussion was closed).

    Raises ParentGone, Conflict.
    """
    post = db.session.execute(select(Post).where(Post.id == held.post_id)).scalar_one()
    if post.deleted_at is not None or post.hidden_by is not None:
        raise Conflict("The post that this belongs to is gone or hidden, so there is no place for it. Reject it with that reason, or wait.")
    writer = Viewer(id=held.author_id, verified=True)
    if held.kind == HeldKind.POST_EDIT:
        text = composing.text(held.source)
        revising.apply(post, composing.title(held.title or post.title), text, held.topics)
    elif held.kind == HeldKind.EDIT:
        comment = db.session.get_one(Comment, held.comment_id)
        if comment.deleted_at is not None or comment.hidden_by is not None:
            raise Conflict("The comment that this changes was deleted or hidden meanwhile. Reject the change with that reason, or wait.")
        counting.lock_post(post.id)
        comments.revise(comment, comments.words(held.source))
    else:
        if post.locked_by is not None and not past_locks:
            raise Conflict("The discussion was closed meanwhile, so it takes no more comments. Reject the text with that reason, or wait.")
        held.comment_id = comments.place(post.id, writer, comments.words(held.source), None if as_root else _parent(held),
                                         parent_version=None if as_root else held.parent_version)
    held.state = HeldState.APPROVED.value
    db.session.flush()
    if held.comment_id is not None:
        tell(held.author_id, NoticeKind.APPROVED, held.comment_id)


def reject_text(held_id: int, by: Viewer, *, rule_id: int, reason: str) -> Act:
    """Not let a text out. Its writer reads rule and reason, and keeps the words. Raises NotFound, NotAllowed, Invalid, Conflict."""
    held = _undecided(held_id, by)
    hold, _ = recording.of(held.held_by or 0)
    rule = recording.rule_in_force(rule_id)
    act = recording.record(ActKind.REJECT, by, person_id=held.author_id, target=(TargetKind.HELD, held_id), rule_id=rule.id, reason=reason,
                           scope=hold.scope.partition(",")[0], about_id=hold.id)
    held.state, held.decided_by = HeldState.REJECTED.value, act.id
    db.session.flush()
    return act


def approve_post(post_id: int, by: Viewer, *, reason: str = "", version: int | None = None) -> Act:
    """Publish a post that waits: it is new from now on. `version`: the revision that was read (None: not asked). Raises NotFound, NotAllowed,
    Invalid (the reason), Conflict (it does not wait, or was changed meanwhile)."""
    post, hold = _waiting_post(post_id, by)
    if version is not None and version != post.revision:
        raise Conflict(CHANGED)
    act = recording.record(ActKind.APPROVE, by, person_id=post.author_id, target=(TargetKind.POST, post_id), rule_id=hold.rule_id,
                           reason=reason.strip() or APPROVED, scope="this post", undoes_id=hold.id)
    publishing.put_out(post)
    return act


def reject_post(post_id: int, by: Viewer, *, rule_id: int, reason: str) -> Act:
    """Not publish a post that waits: it is its author's draft again. Raises NotFound, NotAllowed, Invalid, Conflict."""
    post, hold = _waiting_post(post_id, by)
    rule = recording.rule_in_force(rule_id)
    act = recording.record(ActKind.REJECT, by, person_id=post.author_id, target=(TargetKind.POST, post_id), rule_id=rule.id, reason=reason,
                           scope="this post", about_id=hold.id)
    post.state = PostState.DRAFT.value
    db.session.flush()
    return act


def _parent(held: HeldText) -> Any:
    """What a reply answers, where it still can be answered; None for a comment of its own. Raises ParentGone."""
    if held.parent_id is None:
        return None
    parent = db.session.execute(
        select(Comment.id, Comment.author_id, Comment.root_id, Comment.depth, Comment.version, Comment.deleted_at, Comment.hidden_by, Comment.listed,
               Comment.closed)
        .where(Comment.id == held.parent_id)
    ).one()
    is_buried = bool(branches.below_closed([parent.id]))
    if parent.deleted_at is not None or parent.hidden_by is not None or parent.closed or not parent.listed or is_buried:
        raise ParentGone("What this answers was deleted, hidden or closed meanwhile. Let it out as a comment of its own, or reject it.")
    return parent


def _undecided(held_id: int, by: Viewer) -> HeldText:
    """The text, its post's row and its own locked (in this order, as sending does). Raises NotFound, NotAllowed, Conflict."""
    post_id = db.session.execute(select(HeldText.post_id).where(HeldText.id == held_id)).scalar_one_or_none()
    if post_id is None:
        raise NotFound("There is no such text. It may have been typed wrong.")
    db.session.execute(select(Post).where(Post.id == post_id).with_for_update())
    held = db.session.execute(select(HeldText).where(HeldText.id == held_id).with_for_update()).scalar_one()
    may_decide_held(by, held.author_id).require()
    if held.state == HeldState.TAKEN_BACK:
        raise Conflict(TAKEN_BACK)
    if held.state != HeldState.WAITING:
        raise recording.already(held.decided_by or 0)
    return held


def _waiting_post(post_id: int, by: Viewer) -> tuple[Post, Act]:
    post = publishing.load(post_id, by)
    may_decide_held(by, post.author_id).require()
    if post.deleted_at is not None:
        raise Conflict(TAKEN_BACK)
    if post.state != PostState.HELD:
        decided = (Act.target_kind == TargetKind.POST.value, Act.target_id == post_id, Act.kind.in_([ActKind.APPROVE.value, ActKind.REJECT.value]))
        act_id = db.session.execute(select(Act.id).where(*decided).order_by(Act.id.desc()).limit(1)).scalar_one_or_none()
        raise recording.already(act_id) if act_id else Conflict("This post does not wait for approval. Nothing was changed.")
    found = waiting.act_of_post(post_id)
    if found is None:
        raise Conflict("This post does not wait for approval. Nothing was changed.")
    return post, found[0]
