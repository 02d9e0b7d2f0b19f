"""How a post comes into the world and leaves it: write, publish, delete, restore; its slug and its topics. Changing its words is `revising`."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete as delete_rows
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from blog.board import versions
from blog.clock import now
from blog.config import settings
from blog.db import db
from blog.errors import Gone, NotFound, Unavailable
from blog.filters import holding, newcomers
from blog.permissions import RESTORE_DAYS, may_delete_post, may_edit_post, may_publish, may_restore_post, may_see_post
from blog.posts import composing
from blog.posts.models import Post, PostRevision, PostSlug, PostState, PostTopic
from blog.text.slugs import slugify
from blog.topics import naming
from blog.topics.models import Topic
from blog.viewer import Viewer

# Two posts of one title at once want one slug: who loses looks again, this often.
ATTEMPTS = 5


def publish_new(by: Viewer, *, title: str, source: str, topics: Sequence[str] = (), submission_id: str | None = None,
                state: PostState = PostState.PUBLISHED, past_filters: bool = False) -> Post:
    """A new post, published or as a draft. The same `submission_id` of the same author again gives the first post, as it stands. A filter may
    hold it: its state then is HELD until a moderator has read it.

    Raises NotAllowed, Invalid (title, body or topics; the field is named), TooFast (a newcomer's hour is used up).
    """
    sent = _sent(by, submission_id)
    if sent is not None:
        return sent
    may_publish(by, settings().publishing == "authors", settings().writing_needs_verified).require()
    line, text = composing.title(title), composing.text(source)
    found = None if past_filters or state is PostState.DRAFT else _held_by(by, line, text.html, topics)
    state = PostState.HELD if found else state
    topic_ids = naming.settle(topics)
    moment = now()
    published_at = moment if state is PostState.PUBLISHED else None
    post = Post(
        author_id=by.id, slug="", title=line, html=text.html, headings=text.contents, teaser=text.teaser, words=text.words, renderer=text.renderer,
        revision=1, state=state.value, created_at=moment, published_at=published_at, active_at=published_at, submission_id=submission_id,
    )
    for _ in range(ATTEMPTS):
        post.slug = free_slug(line)
        try:
            with db.session.begin_nested():
                db.session.add(post)
                db.session.flush()
                db.session.add(PostSlug(slug=post.slug, post_id=post.id))
        except IntegrityError:
            # Another process was a moment faster: with this very form, or with the slug.
            sent = _sent(by, submission_id)
            if sent is not None:
                return sent
            continue
        db.session.add(PostRevision(post_id=post.id, revision=1, title=line, source=text.source, created_at=moment))
        set_topics(post, topic_ids)
        if found:
            holding.hold_post(by, found, post.id)
        if post.state == PostState.PUBLISHED:
            versions.rise()
        return post
    raise Unavailable("Several posts of this title were sent at once. Nothing was saved; try again in a moment.")


def publish(post_id: int, by: Viewer) -> Post:
    """Put a draft before everybody, or before a moderator where a filter holds it. Twice is once. Raises NotFound, NotAllowed, TooFast."""
    post = load(post_id, by)
    may_edit_post(by, post).require()
    may_publish(by, settings().publishing == "authors", settings().writing_needs_verified).require()
    if post.state != PostState.DRAFT:
        return post
    found = _held_by(by, post.title, post.html, topic_names(post.id))
    if found:
        post.state = PostState.HELD.value
        db.session.flush()
        holding.hold_post(by, found, post.id)
        return post
    put_out(post)
    return post


def put_out(post: Post) -> None:
    """Everybody sees the post from now on. Whoever calls has asked, and holds its row."""
    post.state = PostState.PUBLISHED.value
    post.published_at = post.active_at = now()
    post.version += 1
    _stamp_topics(post.id, post.published_at)
    db.session.flush()
    versions.rise()


def _held_by(by: Viewer, title: str, html: str, topics: Sequence[str]) -> holding.Cause | None:
    standing = newcomers.standing(by)
    newcomers.spend_post(by, standing)
    return holding.cause(by, html, standing, names=[title, *topics])


def delete(post_id: int, by: Viewer) -> Post:
    """The author takes a post down. Its HTML and teaser go at once, its revisions are closed to readers, its discussion stays. Twice is once.

    Raises NotFound, NotAllowed.
    """
    post = load(post_id, by)
    may_delete_post(by, post).require()
    if post.deleted_at is not None:
        return post
    post.deleted_at = now()
    post.html, post.teaser, post.headings, post.words = "", "", [], 0
    post.version += 1
    db.session.flush()
    versions.rise()
    return post


def restore(post_id: int, by: Viewer) -> Post:
    """The author brings a post back at its old address and place, with its discussion. Hidden stays hidden, a draft a draft. Twice is once.

    Raises NotFound, NotAllowed, Gone (emptied). Rendering is quick if the door has asked `composing.text` before its transaction.
    """
    post = load(post_id, by)
    may_restore_post(by, post, now()).require()
    if post.deleted_at is None:
        return post
    source = newest_source(post_id)
    if not source:
        raise Gone("The words of this post are gone for good.")
    text = composing.text(source)
    post.deleted_at = None
    post.html, post.headings, post.teaser, post.words, post.renderer = text.html, text.contents, text.teaser, text.words, text.renderer
    post.version += 1
    db.session.flush()
    versions.rise()
    return post


def newest_source(post_id: int) -> str:
    """The Markdown as it was saved last, "" where it has been emptied. One statement."""
    newest = select(PostRevision.source).where(PostRevision.post_id == post_id).order_by(PostRevision.revision.desc()).limit(1)
    return db.session.execute(newest).scalar_one_or_none() or ""


def empty_deleted() -> int:
    """Empty title and text of posts that can't be restored any more, all their revisions; says of how many. Two statements.

    The slug stays: no other post may ever have it.
    """
    silent = {"synchronize_session": False}
    gone = select(Post.id).where(Post.deleted_at < now() - timedelta(days=RESTORE_DAYS), Post.title != "")
    written = update(PostRevision).where(PostRevision.post_id.in_(gone)).values(title="", source="")
    db.session.execute(written, execution_options=silent)
    emptied = db.session.execute(update(Post).where(Post.id.in_(gone)).values(title=""), execution_options=silent)
    return int(emptied.rowcount)  # type: ignore[attr-defined]


def load(post_id: int, by: Viewer) -> Post:
    """The post's row, locked until the transaction ends (SQLite: all of it is). Raises NotFound where `by` must not know of it."""
    post = db.session.execute(select(Post).where(Post.id == post_id).with_for_update()).scalar_one_or_none()
    if post is None or not may_see_post(by, post):
        raise NotFound()
    return post


def load_standing(post_id: int, by: Viewer) -> Post:
    """As `load`; raises Gone for a post that its author took down."""
    post = load(post_id, by)
    if post.deleted_at is not None:
        raise Gone("You took this post down. Restore it first to change it: your settings list what you deleted.")
    return post


# -- the slug


def free_slug(title: str, post_id: int = 0) -> str:
    """A slug for this title that no other post has or ever had: `slug`, else `slug-2`, `slug-3` and on."""
    for batch in _candidates(slugify(title)):
        taken = set(db.session.execute(select(PostSlug.slug).where(PostSlug.slug.in_(batch), PostSlug.post_id != post_id)).scalars())
        free = next((slug for slug in batch if slug not in taken), None)
        if free is not None:
            return free
    raise Unavailable("Too many posts have this title. Change a word of it.")


def _candidates(base: str) -> Iterator[list[str]]:
    """`base`, `base-2` ... in ever longer batches: one statement each, and few even where a title is very common."""
    yield [base]
    first = 2
    for size in (20, 200, 2_000, 20_000):
        yield [f"{base}-{number}" for number in range(first, first + size)]
        first += size


def rename(post: Post, title: str) -> None:
    """Give the post the slug of its new title. One that was ever published keeps the old as a way to it for ever, any other leaves none."""
    if slugify(title) == slugify(post.title):
        return
    old, new = post.slug, free_slug(title, post.id)
    if post.published_at is None:
        db.session.execute(delete_rows(PostSlug).where(PostSlug.post_id == post.id, PostSlug.slug == old))
    if db.session.execute(select(PostSlug.slug).where(PostSlug.slug == new)).scalar_one_or_none() is None:
        db.session.add(PostSlug(slug=new, post_id=post.id))
    post.slug = new
    try:
        db.session.flush()
    except IntegrityError:
        raise Unavailable("Another post took this title’s address in the same moment. Nothing was saved; try again.") from None


# -- the topics


def set_topics(post: Post, topic_ids: Sequence[int]) -> bool:
    """Make these the post's topics, in this order. Says whether that changed anything."""
    before = db.session.execute(select(PostTopic.topic_id).where(PostTopic.post_id == post.id).order_by(PostTopic.place)).scalars().all()
    if list(before) == list(topic_ids):
        return False
    db.session.execute(delete_rows(PostTopic).where(PostTopic.post_id == post.id))
    for place, topic_id in enumerate(topic_ids):
        db.session.add(PostTopic(topic_id=topic_id, post_id=post.id, place=place, published_at=post.published_at))
    db.session.flush()
    return True


def topic_names(post_id: int) -> list[str]:
    """The names of the post's topics, in order. One statement."""
    named = select(Topic.name).join(PostTopic, PostTopic.topic_id == Topic.id).where(PostTopic.post_id == post_id).order_by(PostTopic.place)
    return list(db.session.execute(named).scalars())


def _stamp_topics(post_id: int, published_at: datetime) -> None:
    db.session.execute(update(PostTopic).where(PostTopic.post_id == post_id).values(published_at=published_at))


def _sent(by: Viewer, submission_id: str | None) -> Post | None:
    """The post that this form made before."""
    if not submission_id or not by.is_member:
        return None
    return db.session.execute(select(Post).where(Post.author_id == by.id, Post.submission_id == submission_id)).scalar_one_or_none()
