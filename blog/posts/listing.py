"""Readings of posts: lists of teasers in keyset pages, and one post with what stands around it. Columns and values, no row objects.

Hidden and deleted posts and drafts are in no list. Each reading states its statements; none grows with the rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from sqlalchemy import String, cast, false, literal, null, select, tuple_, union_all

from blog.accounts.models import Member
from blog.acts.models import Act, ActKind, Rule
from blog.board import versions
from blog.caching import Kept
from blog.config import settings
from blog.db import UTCDateTime, db
from blog.drafts import keeping
from blog.errors import Gone, Malformed, NotFound
from blog.paging import DAMAGED, LARGEST_COUNT, cursor, micros, moment_of, read_cursor
from blog.permissions import listed_posts, may_read_post, may_see_post, seen_posts
from blog.posts.models import Post, PostSlug, PostState, PostTopic
from blog.text.excerpts import teaser
from blog.topics.models import Topic
from blog.viewer import Viewer

PAGE = 10

SORTS = ("newest", "active", "thanked")

# A member's own drafts stand on one page; who has more finds the rest by publishing some.
MOST_DRAFTS = 50

# Characters of a post's beginning under another article.
SHORT_TEASER = 130

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, and the cursor of the next page, "" if this is the last. `after` is the one that led here."""

    rows: list[T]
    more: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class TopicLink:
    """A topic as it is named beside a post."""

    slug: str
    name: str

    @property
    def path(self) -> str:
        return f"/topics/{quote(self.slug)}"


@dataclass(frozen=True, slots=True)
class Teaser:
    """A post as lists show it."""

    topics: tuple[TopicLink, ...]
    id: int
    slug: str
    title: str
    teaser: str
    published_at: datetime
    comment_count: int
    author_id: int
    username: str
    author: str  # display name
    last_seq: int  # number of the newest comment, to tell what is unread

    @property
    def path(self) -> str:
        return path_of(self.slug)


@dataclass(frozen=True, slots=True)
class ReadMore:
    """Another post, as it is named under an article."""

    id: int
    slug: str
    title: str
    teaser: str
    published_at: datetime

    @property
    def path(self) -> str:
        return path_of(self.slug)


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A draft, or a post that waits for a moderator, as its author finds it again."""

    slug: str
    title: str
    created_at: datetime
    state: str

    @property
    def waits(self) -> bool:
        return self.state == PostState.HELD

    @property
    def path(self) -> str:
        return path_of(self.slug)


@dataclass(frozen=True, slots=True)
class Article:
    """A post's page without its discussion. `html` and the like are empty where the words are not for this viewer."""

    is_readable: bool
    id: int
    slug: str
    author_id: int
    username: str
    author: str
    state: str
    title: str  # of this viewer's page: "" where the words are not for them
    html: str
    headings: list[Any]
    teaser: str
    words: int
    revision: int
    thanks: int
    version: int
    last_seq: int
    comment_count: int
    created_at: datetime
    published_at: datetime | None
    edited_at: datetime | None
    deleted_at: datetime | None
    hidden_by: int | None
    locked_by: int | None
    locked_until: datetime | None
    slow_by: int | None
    slow_seconds: int
    slow_until: datetime | None
    act_number: int | None
    act_kind: str | None
    act_reason: str | None
    rule_number: int | None
    rule_title: str | None
    board_version: int

    @property
    def is_draft(self) -> bool:
        return self.state == PostState.DRAFT

    @property
    def is_held(self) -> bool:
        """Whether it waits for a moderator."""
        return self.state == PostState.HELD

    @property
    def is_published(self) -> bool:
        return self.state == PostState.PUBLISHED

    @property
    def is_tombstone(self) -> bool:
        """Whether the post is withheld from readers: its address then is its number, so that the slug tells nothing."""
        return self.deleted_at is not None or self.hidden_by is not None

    @property
    def is_redacted(self) -> bool:
        """Whether the words are gone for good, by a moderator's act."""
        return self.act_kind == ActKind.REDACT

    @property
    def path(self) -> str:
        return path_of(str(self.id) if self.is_tombstone else self.slug)

    @property
    def contents(self) -> list[Any]:
        """Headings for the contents list: sections and what is right below them."""
        return [heading for heading in self.headings if heading[0] <= 3]

    @property
    def shown_title(self) -> str:
        """What this viewer's page is called."""
        if self.title:
            return self.title
        if self.is_redacted:
            return f"Post {self.id}, its words taken out by a moderator"
        return f"Post {self.id} hidden by a moderator" if self.hidden_by is not None else f"Post {self.id}, taken down by its author"


def path_of(slug: str) -> str:
    """The address of a post, fit for a header too: slugs hold letters of any script."""
    return f"/posts/{quote(slug)}"


# -- lists

_TEASERS: Any = select(
    Post.id, Post.slug, Post.title, Post.teaser, Post.published_at, Post.comment_count, Post.author_id, Member.username, Member.display_name,
    Post.last_seq,
).join(Member, Member.id == Post.author_id).where(listed_posts())


def front(after: str | None = None, sort: str = "newest") -> Page[Teaser]:
    """Listed posts: newest, with the newest comment ("active"), or most thanked first. Two statements. Raises Malformed for a bad cursor."""
    if sort == "thanked":
        return _page(_TEASERS, Post.thanks, Post.id, after, by_number=True)
    return _page(_TEASERS, Post.active_at if sort == "active" else Post.published_at, Post.id, after)


def by_topic(topic_id: int, after: str | None = None) -> Page[Teaser]:
    """Listed posts of a topic, newest first. Two statements. Raises Malformed."""
    of_topic = _TEASERS.join(PostTopic, PostTopic.post_id == Post.id).where(PostTopic.topic_id == topic_id)
    return _page(of_topic, PostTopic.published_at, PostTopic.post_id, after)


def by_author(member_id: int, after: str | None = None) -> Page[Teaser]:
    """Listed posts of a member, newest first. Two statements. Raises Malformed."""
    return _page(_TEASERS.where(Post.author_id == member_id), Post.published_at, Post.id, after)


def drafts(member_id: int) -> list[DraftLine]:
    """The member's own drafts and posts that wait, newest first. One statement."""
    mine: Any = select(Post.slug, Post.title, Post.created_at, Post.state).where(
        Post.author_id == member_id, Post.state != PostState.PUBLISHED.value, Post.deleted_at.is_(None)
    )
    return [DraftLine(*row) for row in db.session.execute(mine.order_by(Post.id.desc()).limit(MOST_DRAFTS))]


def _page(statement: Any, place: Any, key: Any, after: str | None, by_number: bool = False) -> Page[Teaser]:
    """A keyset page, descending by (place, key). `place` is an instant, or a small number if `by_number`."""
    parts = read_cursor(after, 2)
    if parts is not None:
        if by_number and parts[0] > LARGEST_COUNT:
            raise Malformed(DAMAGED)
        statement = statement.where(tuple_(place, key) < tuple_(parts[0] if by_number else moment_of(parts[0]), parts[1]))
    rows = db.session.execute(statement.add_columns(place.label("place")).order_by(place.desc(), key.desc()).limit(PAGE + 1)).all()
    shown: list[Any] = list(rows[:PAGE])
    last = shown[-1] if shown else None
    more = cursor(last.place if by_number else micros(last.place), last.id) if last is not None and len(rows) > PAGE else ""
    topics = topics_of(row.id for row in shown)
    return Page([Teaser(tuple(topics.get(row.id, ())), *row[:-1]) for row in shown], more, after or "")


def topics_of(post_ids: Iterable[int]) -> dict[int, list[TopicLink]]:
    """The topics of each post, in their authors' order. One statement."""
    found: dict[int, list[TopicLink]] = {}
    named = select(PostTopic.post_id, Topic.slug, Topic.name).join(Topic, Topic.id == PostTopic.topic_id).where(PostTopic.post_id.in_(list(post_ids)))
    for row in db.session.execute(named.order_by(PostTopic.place)):
        found.setdefault(row.post_id, []).append(TopicLink(row.slug, row.name))
    return found


# -- one post

_ARTICLE: Any = (
    select(
        Post.id, Post.slug, Post.author_id, Member.username, Member.display_name, Post.state, Post.title, Post.html, Post.headings, Post.teaser,
        Post.words, Post.revision, Post.thanks, Post.version, Post.last_seq, Post.comment_count, Post.created_at, Post.published_at, Post.edited_at,
        Post.deleted_at, Post.hidden_by, Post.locked_by, Post.locked_until, Post.slow_by, Post.slow_seconds, Post.slow_until,
        Act.number, Act.kind, Act.reason, Rule.number.label("rule_number"), Rule.title.label("rule_title"),
        versions.CURRENT.label("board_version"),
    )
    .join(Member, Member.id == Post.author_id)
    .outerjoin(Act, Act.id == Post.hidden_by)
    .outerjoin(Rule, Rule.id == Act.rule_id)
)


def article(viewer: Viewer, slug: str, *, including_gone: bool = False) -> Article:
    """The post at an address: its slug, an older one, or its number. One statement.

    A hidden post's words are there for its author and for moderators only; a deleted one's for nobody. Raises NotFound, or Gone for a
    post that was taken down before anybody commented (unless `including_gone`).
    """
    if slug.isascii() and slug.isdigit():
        asked = _ARTICLE.where(Post.id == int(slug)) if len(slug) <= 18 else _ARTICLE.where(false())
    else:
        asked = _ARTICLE.join(PostSlug, PostSlug.post_id == Post.id).where(PostSlug.slug == slug)
    row = db.session.execute(asked).one_or_none()
    if row is None or not may_see_post(viewer, row):
        raise NotFound()
    if row.deleted_at is not None and row.last_seq == 0 and not including_gone:
        own = viewer.is_member and row.author_id == viewer.id
        raise Gone("You took this post down. Your settings list what you deleted, and bring it back for 30 days." if own else "Its author took this post down.")
    readable = bool(may_read_post(viewer, row))
    found = Article(readable, *row)
    return found if readable else replace(found, title="", html="", headings=[], teaser="", words=0)


# Some thousand posts' surroundings.
_around: Kept[tuple[list[TopicLink], list[ReadMore]]] = Kept(8 * 1024 * 1024)


def kept_around(post: Article) -> tuple[list[TopicLink], list[ReadMore]]:
    """What stands around a post, from the store or read now. Its topics change with the post's version, other posts with the board's;
    a draft's versions say nothing, so it is read each time. One statement, none if it is kept."""
    if post.is_draft:
        return around(post.id)
    key = (settings().instance, settings().database_url, post.id, post.version, post.board_version)
    found = _around.get(key)
    if found is None:
        found = around(post.id)
        _around.put(key, found, 2_000)
    return found


def around(post_id: int, count: int = 3) -> tuple[list[TopicLink], list[ReadMore]]:
    """What stands around an article: its topics in their order, and the `count` newest other listed posts. One statement."""
    newest = (
        select(Post.id, Post.slug, Post.title, Post.teaser, Post.published_at)
        .where(listed_posts(), Post.id != post_id)
        .order_by(Post.published_at.desc(), Post.id.desc())
        .limit(count)
        .subquery()
    )
    topics = select(PostTopic.place, Topic.slug, Topic.name, literal(None, String), cast(null(), UTCDateTime))
    topics = topics.join(Topic, Topic.id == PostTopic.topic_id).where(PostTopic.post_id == post_id)
    found = db.session.execute(union_all(select(newest), topics))
    rows = [ReadMore(row.id, row.slug, row.title, teaser(row.teaser or "", SHORT_TEASER), row.published_at) for row in found]
    posts = sorted((row for row in rows if row.published_at is not None), key=lambda row: (row.published_at, row.id), reverse=True)
    named = sorted((row for row in rows if row.published_at is None), key=lambda row: row.id)
    return [TopicLink(row.slug, row.title) for row in named], posts


# -- forms that were left with text


def kept_under(target: str) -> str:
    """The address that a form's text is kept under: its post by number, whichever slug it has now or had when the form was opened.

    One statement, none for an address without a slug. A slug that no post ever had stays: nobody can tell one that a draft has.
    """
    slug = keeping.slug_in(target)
    number = db.session.execute(select(PostSlug.post_id).where(PostSlug.slug == slug)).scalar_one_or_none() if slug else None
    return keeping.renamed(target, str(number)) if number else target


def forms_at(viewer: Viewer, targets: list[str]) -> list[str]:
    """Where these forms stand now, for a browser to be led there: their posts by today's slug, those of posts that this viewer can't see
    left out. A withheld post keeps its number. One statement, none where no form is a post's."""
    numbers = {number for number in map(keeping.number_in, targets) if number}
    seen = select(Post.id, Post.slug, Post.deleted_at, Post.hidden_by).where(Post.id.in_(numbers), seen_posts(viewer))
    rows = db.session.execute(seen) if numbers else ()
    names = {row.id: str(row.id) if row.deleted_at or row.hidden_by else quote(row.slug) for row in rows}
    return [
        keeping.renamed(target, names[number]) if number else target
        for target, number in ((target, keeping.number_in(target)) for target in targets)
        if not keeping.slug_in(target) and (not number or number in names)
    ]
