"""Taking words out for law or somebody's safety: not hidden but gone, from every place where the board keeps them. The trace stays: a tombstone,
and an act in the log. It can't be undone, so hiding comes first."""

from typing import Any

from sqlalchemy import and_, case, delete, or_, select, update

from blog.acts import recording
from blog.acts.models import Act, ActKind, TargetKind
from blog.board import versions
from blog.comments import counting
from blog.comments.models import Comment, CommentRevision
from blog.db import db
from blog.drafts import keeping
from blog.errors import Conflict, NotAllowed, NotFound
from blog.filters.models import HeldKind, HeldState, HeldText
from blog.moderation import cases
from blog.permissions import may_moderate, may_redact, may_see_post
from blog.posts import publishing
from blog.posts.models import Post, PostRevision, PostSlug, PostState
from blog.viewer import Viewer

# What waited of redacted words waits no longer.
_NOT_WAITING: Any = case((HeldText.state == HeldState.WAITING.value, HeldState.TAKEN_BACK.value), else_=HeldText.state)


def redact_comment(comment_id: int, by: Viewer, *, rule_id: int, reason: str) -> Act:
    """Take a comment's words out of its versions, its writer's drafts and what was held of it. A deleted one's too, whose words still wait to be
    restored. A tombstone tells rule and reason.

    Raises NotFound, NotAllowed, Invalid (rule, reason), Conflict (they are gone already).
    """
    post_id = db.session.execute(select(Comment.post_id).where(Comment.id == comment_id)).scalar_one_or_none()
    if post_id is None:
        raise NotFound("There is no such comment. It may have been typed wrong.")
    counting.lock_post(post_id)
    comment = db.session.execute(select(Comment).where(Comment.id == comment_id)).scalar_one()
    may_redact(by, comment.author_id).require()
    if comment.redacted:
        raise recording.already(comment.hidden_by or 0, "taken out")
    was_live = comment.deleted_at is None and comment.hidden_by is None
    sources = set(db.session.execute(select(CommentRevision.source).where(CommentRevision.comment_id == comment_id)).scalars())
    act = _record(by, comment.author_id, (TargetKind.COMMENT, comment_id), rule_id, reason)
    comment.html, comment.redacted, comment.hidden_by = "", True, act.id
    db.session.execute(update(CommentRevision).where(CommentRevision.comment_id == comment_id).values(source=""))
    copies = or_(HeldText.comment_id == comment_id, HeldText.source.in_(sources - {""}))
    db.session.execute(update(HeldText).where(HeldText.author_id == comment.author_id, copies).values(source="", html="", state=_NOT_WAITING),
                       execution_options={"synchronize_session": False})
    keeping.forget_copies(comment.author_id, sources - {""}, [f"/comments/{comment_id}/edit"])
    db.session.flush()
    if was_live:
        counting.count_live(post_id, -1)
    counting.settle(comment_id)
    db.session.expire(comment)
    cases.answered((TargetKind.COMMENT, comment_id), act)
    return act


def redact_post(post_id: int, by: Viewer, *, rule_id: int, reason: str) -> Act:
    """Take a post's title and text out of its versions, its addresses and its author's drafts. What others wrote under it stays.

    Raises as redact_comment.
    """
    counting.lock_post(post_id)
    post = db.session.execute(select(Post).where(Post.id == post_id)).scalar_one()
    if not may_see_post(by, post):
        raise NotFound()
    may_redact(by, post.author_id).require()
    if post.hidden_by is not None and recording.of(post.hidden_by)[0].kind == ActKind.REDACT:
        raise recording.already(post.hidden_by, "taken out")
    sources = set(db.session.execute(select(PostRevision.source).where(PostRevision.post_id == post_id)).scalars())
    act = _record(by, post.author_id, (TargetKind.POST, post_id), rule_id, reason)
    post.title, post.html, post.headings, post.teaser, post.words, post.hidden_by = "", "", [], "", 0, act.id
    if post.state == PostState.HELD:  # nothing of it waits for anybody any more
        post.state = PostState.DRAFT.value
    # The address is made of the title, so it goes too; the post's number leads to its tombstone.
    post.slug = publishing.free_slug(f"taken out {post_id}", post_id)
    db.session.execute(delete(PostSlug).where(PostSlug.post_id == post_id))
    db.session.add(PostSlug(slug=post.slug, post_id=post_id))
    db.session.execute(update(PostRevision).where(PostRevision.post_id == post_id).values(title="", source=""))
    keeping.forget_copies(post.author_id, sources - {""}, [f"/posts/{post_id}/edit"])
    copies = or_(and_(HeldText.post_id == post_id, HeldText.kind == HeldKind.POST_EDIT.value), HeldText.source.in_(sources - {""}))
    db.session.execute(update(HeldText).where(HeldText.author_id == post.author_id, copies).values(source="", html="", title=None, state=_NOT_WAITING),
                       execution_options={"synchronize_session": False})
    db.session.flush()
    versions.rise()
    cases.answered((TargetKind.POST, post_id), act)
    return act


def redact_reason(number: int, by: Viewer, *, rule_id: int, reason: str) -> Act:
    """Take the reason out of act `number`: the one thing that is ever changed about an act, by another act that everybody reads. In its place
    stands by which act. Raises NotFound, NotAllowed, Invalid (rule, reason), Conflict (it is gone already)."""
    may_moderate(by).require()
    # The act's row before its number's, as who decides an appeal takes them.
    found = db.session.execute(select(Act).where(Act.id == recording.receipt(number).act.id).with_for_update()).scalar_one()
    if found.person_id == by.id:
        raise NotAllowed("This act is about you: another moderator must decide.")
    if found.kind == ActKind.REDACT and found.target_kind == TargetKind.ACT:
        raise NotAllowed("Why a reason was taken out stays for everybody to read.")
    if found.actor_id == by.id and db.session.execute(select(Act.id).where(Act.undoes_id == found.id)).first() is not None:
        raise NotAllowed("This act of yours was taken back or overturned: another moderator must decide.")
    before = db.session.execute(select(Act.number).where(Act.about_id == found.id, Act.kind == ActKind.REDACT.value)).scalar_one_or_none()
    if before is not None:
        raise Conflict(f"The reason of act {number} was taken out already, by act {before}. Nothing was changed.")
    rule = recording.rule_in_force(rule_id)
    act = recording.record(ActKind.REDACT, by, person_id=None, target=(TargetKind.ACT, found.id), rule_id=rule.id, reason=reason,
                           scope="the reason of one act", about_id=found.id)
    found.reason = f"Taken out by act {act.number}."
    db.session.flush()
    versions.rise()  # tombstones and boundary lines show it
    return act


def _record(by: Viewer, author_id: int, target: tuple[TargetKind, int], rule_id: int, reason: str) -> Act:
    rule = recording.rule_in_force(rule_id)
    return recording.record(ActKind.REDACT, by, person_id=author_id, target=target, rule_id=rule.id, reason=reason, scope="all words, for good")
