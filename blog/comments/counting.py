"""The counters that a thread's pages rely on: post.last_seq, post.comment_count, post.version, comment.reply_count, comment.listed.

Every deed that changes what a thread shows raises post.version first, and so locks the post's row: deeds on one thread wait for each other.
"""

from sqlalchemy import select, update

from blog.comments.models import Comment
from blog.db import db
from blog.errors import NotFound
from blog.posts.models import Post


def lock_post(post_id: int, *, live: int = 0) -> None:
    """Raise the thread's version, and with it take the post's row for this transaction. `live` is added to the count of live comments."""
    found = db.session.execute(
        update(Post).where(Post.id == post_id).values(version=Post.version + 1, comment_count=Post.comment_count + live)
    )
    if found.rowcount == 0:  # type: ignore[attr-defined]
        raise NotFound()


def count_live(post_id: int, change: int) -> None:
    """The number of comments that everybody reads rose or fell (deleted, hidden, brought back)."""
    db.session.execute(update(Post).where(Post.id == post_id).values(comment_count=Post.comment_count + change))


def settle(comment_id: int) -> None:
    """Bring `listed` and the parents' `reply_count` in line after a deletion, restoring, hiding or bringing back.

    A comment stays listed unless its writer deleted it, nothing listed hangs on it and no moderator's tombstone stands there. What
    changes its mind may change its parent's: upwards, at most as many steps as the comment is deep.
    """
    at: int | None = comment_id
    while at is not None:
        row = db.session.execute(
            select(Comment.parent_id, Comment.deleted_at, Comment.hidden_by, Comment.reply_count, Comment.listed).where(Comment.id == at)
        ).one()
        should = row.deleted_at is None or row.hidden_by is not None or row.reply_count > 0
        if should == row.listed:
            return
        db.session.execute(update(Comment).where(Comment.id == at).values(listed=should))
        if row.parent_id is not None:
            change = 1 if should else -1
            db.session.execute(update(Comment).where(Comment.id == row.parent_id).values(reply_count=Comment.reply_count + change))
        at = row.parent_id
