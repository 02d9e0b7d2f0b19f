"""Readings of topics. A topic without a listed post is known to nobody: its name is words of a draft, or of a post that was hidden or deleted."""

from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import exists, func, select

from blog.db import db
from blog.errors import NotFound
from blog.permissions import listed_posts
from blog.posts.models import Post, PostTopic
from blog.topics.models import Topic


@dataclass(frozen=True, slots=True)
class TopicRow:
    """A topic, with the number of its listed posts where a reading counted them."""

    id: int
    slug: str
    name: str
    about: str
    posts: int = 0

    @property
    def path(self) -> str:
        return f"/topics/{quote(self.slug)}"


_TOPIC = select(Topic.id, Topic.slug, Topic.name, Topic.about)


def all_topics() -> list[TopicRow]:
    """Topics that have listed posts, by name, with their number. One statement."""
    counted = (
        _TOPIC.add_columns(func.count(Post.id).label("posts"))
        .join(PostTopic, PostTopic.topic_id == Topic.id)
        .join(Post, Post.id == PostTopic.post_id)
        .where(listed_posts())
        .group_by(Topic.id, Topic.slug, Topic.name, Topic.about)
        .order_by(func.lower(Topic.name), Topic.id)
    )
    return [TopicRow(*row) for row in db.session.execute(counted)]


def topic(slug: str) -> TopicRow:
    """The topic at an address. One statement. Raises NotFound where no listed post has it, as for one that never was; the next such
    post brings it back."""
    listed = exists().where(PostTopic.topic_id == Topic.id, Post.id == PostTopic.post_id, listed_posts())
    row = db.session.execute(_TOPIC.where(Topic.slug == slug, listed)).one_or_none()
    if row is None:
        raise NotFound("There is no such topic. The list of all topics has those that there are.")
    return TopicRow(*row)
