"""The rows that acts are about, found and locked: the same steps before every act.

Order of locks, everywhere: posts (by id, where one transaction takes several), members, then the act's number. Whoever keeps to it waits
for others, and nobody for each other.
"""

from sqlalchemy import select

from blog.accounts.models import Member
from blog.comments import counting
from blog.comments.models import Comment
from blog.db import db
from blog.errors import NotFound
from blog.permissions import may_see_post
from blog.posts.models import Post
from blog.viewer import Viewer

# What an act covers, in words that its row keeps.
COMMENT_ONLY = "this comment only"
BRANCH = "this comment and everything below it"
POST_ONLY = "this post only"
DISCUSSION = "the discussion of this post"
ACCOUNT = "this account on the whole board"


def comment(comment_id: int, by: Viewer) -> tuple[Comment, Post]:
    """The comment and its post, the post's row locked and its version raised. Nobody acts on what they may not see. Raises NotFound."""
    post_id = db.session.execute(select(Comment.post_id).where(Comment.id == comment_id)).scalar_one_or_none()
    if post_id is None:
        raise NotFound("There is no such comment. It may have been typed wrong.")
    counting.lock_post(post_id)
    found = db.session.execute(select(Comment).where(Comment.id == comment_id)).scalar_one()
    above = db.session.execute(select(Post).where(Post.id == post_id)).scalar_one()
    if not may_see_post(by, above) or not found.listed:
        raise NotFound("There is no such comment. Its writer may have deleted it.")
    return found, above


def post(post_id: int, by: Viewer) -> Post:
    """The post, its row locked and its version raised. Raises NotFound for one that `by` must not know of or that its author took down."""
    counting.lock_post(post_id)
    found = db.session.execute(select(Post).where(Post.id == post_id)).scalar_one()
    if not may_see_post(by, found) or found.deleted_at is not None:
        raise NotFound()
    return found


def member(member_id: int) -> Member:
    """The member, their row locked against other acts (not against rows that point to it). Raises NotFound."""
    asked = select(Member).where(Member.id == member_id).with_for_update(key_share=True).execution_options(populate_existing=True)
    found = db.session.execute(asked).scalar_one_or_none()
    if found is None:
        raise NotFound("There is no such member.")
    return found
