"""Readings of topics. A topic without a listed post is known to nobody: its name is words of a draft, or of a post that was hidden or deleted."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sqlalchemy import exists, func, select

from blog.board import versions
from blog.caching import Kept
from blog.config import settings
from blog.db import db
from blog.errors import NotFound
from blog.permissions import listed_posts
from blog.posts.models import Post, PostTopic
from blog.topics.models import Topic

# On the front page, and on a page of the list.
FRONT = 12
PAGE = 100
LONGEST_SLUG = 80

MOST_BYTES = 4 * 1024 * 1024

_kept: Kept[tuple[int, "Topics"]] = Kept(MOST_BYTES)


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
        return path_of(self.slug)


def path_of(slug: str) -> str:
    """The address of a topic, fit for a header too."""
    return f"/topics/{quote(slug)}"


_TOPIC = select(Topic.id, Topic.slug, Topic.name, Topic.about)


# Whether a topic has a listed post.
_LISTED = exists().where(PostTopic.topic_id == Topic.id, Post.id == PostTopic.post_id, listed_posts())


@dataclass(frozen=True, slots=True)
class Topics:
    """Some topics with their numbers. `more` is the cursor of the next page (of the busiest: not empty if there are others); `after` led here."""

    rows: list[TopicRow]
    more: str = ""
    after: str = ""


def busiest() -> Topics:
    """The topics with the most listed posts, for the front page. Two statements, one while the board stays as it is.

    Counting walks over every post, so it is done once for each version of the board: whatever changes a number raises that.
    """
    counted = (
        _TOPIC.add_columns(func.count(Post.id).label("posts"))
        .join(PostTopic, PostTopic.topic_id == Topic.id)
        .join(Post, Post.id == PostTopic.post_id)
        .where(listed_posts())
        .group_by(Topic.id, Topic.slug, Topic.name, Topic.about)
        .order_by(func.count(Post.id).desc(), func.lower(Topic.name), Topic.id)
        .limit(FRONT + 1)
    )
    return _once(counted, FRONT, None)


def page(after: str | None = None) -> Topics:
    """Topics that have listed posts with their number, a page of them by slug. Two statements, one while the board stays as it is."""
    number = select(func.count()).select_from(PostTopic).join(Post, Post.id == PostTopic.post_id)
    number = number.where(PostTopic.topic_id == Topic.id, listed_posts())
    asked = _TOPIC.add_columns(number.scalar_subquery()).where(_LISTED).order_by(Topic.slug).limit(PAGE + 1)
    if after:
        asked = asked.where(Topic.slug > after[:LONGEST_SLUG])
    return _once(asked, PAGE, (after or "")[:LONGEST_SLUG])


def _once(statement: Any, most: int, after: str | None) -> Topics:
    """What the statement finds, kept as long as the board's version stands."""
    key = (settings().instance, settings().database_url, after)
    kept = _kept.get(key)
    if kept is not None and db.session.execute(select(versions.CURRENT)).scalar_one() == kept[0]:
        return kept[1]
    found = db.session.execute(statement.add_columns(versions.CURRENT)).all()
    rows = [TopicRow(*row[:-1]) for row in found[:most]]
    topics = Topics(rows, rows[-1].slug if len(found) > most else "", after or "")
    if found:
        _kept.put(key, (found[0][-1], topics), 500 * len(rows))
    return topics


def paths(most: int) -> list[str]:
    """Addresses of topics that have listed posts, `most` at most. One statement."""
    slugs = select(Topic.slug).where(_LISTED).order_by(Topic.slug).limit(most)
    return [path_of(slug) for slug in db.session.execute(slugs).scalars()]


def topic(slug: str) -> TopicRow:
    """The topic at an address. One statement. Raises NotFound where no listed post has it, as for one that never was; the next such
    post brings it back."""
    row = db.session.execute(_TOPIC.where(Topic.slug == slug, _LISTED)).one_or_none()
    if row is None:
        raise NotFound("There is no such topic. The list of all topics has those that there are.")
    return TopicRow(*row)
