"""Changing a post. Every version of its title and text is kept; a stale save is refused and saves nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import select

from blog.board import versions
from blog.clock import now
from blog.db import db
from blog.errors import Conflict, Gone, Invalid, NotFound
from blog.filters import holding, newcomers
from blog.filters.models import HeldKind
from blog.permissions import PostFacts, may_edit_post, may_read_post, may_see_post
from blog.posts import composing, publishing
from blog.posts.models import Post, PostRevision, PostState, PostTopic
from blog.text import diffing
from blog.text.slugs import hyphenated
from blog.topics import naming
from blog.topics.models import Topic
from blog.viewer import Viewer

# Revisions on one page of the history: each may be as long as a post.
PAGE = 10

# Characters compared on one page of the history; what is over shows its changes on a page of its own.
MOST_COMPARED = 60_000


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of a post as it was typed."""

    number: int
    title: str
    source: str
    created_at: datetime
    changes: tuple[diffing.Line, ...] = ()  # against the one before, title and text; empty for the first, and where `is_long`
    is_long: bool = False  # the comparison stands on the version's own page

    @property
    def whole(self) -> str:
        """Title and text as one, to set beside another version."""
        return f"{self.title}\n\n{self.source}"


@dataclass(frozen=True, slots=True)
class Saved:
    """The post as it stands after an edit; `held_id`: the change itself waits for a moderator (filters/models.py), 0 if it went through."""

    post: Post
    held_id: int = 0


def edit(post_id: int, by: Viewer, *, title: str, source: str, topics: Sequence[str] | None = None, topics_were: Sequence[str] | None = None,
         version: int | None = None, as_draft: bool = False) -> Saved:
    """Change a post's title, text and topics (None: leave them). Saving what stands there already makes no revision. A filter may hold the
    change of a published post: what stands there goes on standing until a moderator has read it.

    Raises NotFound, NotAllowed, Gone, Invalid, and Conflict with both texts when `version` is not the newest revision's number
    (None: not asked), or when both this form and another changed the topics that it began from, `topics_were` (None: neither is asked).
    `as_draft`: the button said so, which is Invalid for a post that is published and takes back one that waits.
    """
    post = publishing.load_standing(post_id, by)
    may_edit_post(by, post).require()
    if as_draft and post.state == PostState.PUBLISHED:
        raise Invalid("This post is published, so it can’t be a draft again. Save the change, or take the post down.", "action")
    line, text = composing.title(title), composing.text(source)
    current = newest(post_id)
    changed = (line, text.source) != (current.title, current.source)
    stale = version is not None and version != post.revision
    if topics is not None and topics_were is not None and _slugs(topics) == _slugs(topics_were):
        topics = None  # this form left them alone, so what another made of them stays
    standing = topic_names(post_id)
    crossed = topics is not None and _slugs(topics) != _slugs(standing) and (stale or (topics_were is not None and _slugs(topics_were) != _slugs(standing)))
    if (changed and stale) or crossed:
        named = f"\n\nTopics: {', '.join(standing) or 'none'}" if crossed else ""
        raise Conflict("You changed this post elsewhere in the meantime. Both texts are below; nothing was saved.",
                       mine=f"{line}\n\n{text.source}", theirs=current.whole + named, version=post.revision)
    if post.state == PostState.PUBLISHED and (changed or topics is not None):
        before = [current.title, *(publishing.topic_names(post_id) if topics is not None else [])]
        found = holding.cause(by, text.html, newcomers.standing(by), names=[line, *(topics or [])], before=post.html, before_names=before)
        if found is not None:
            return Saved(post, holding.hold(by, found, HeldKind.POST_EDIT, post_id=post_id, source=text.source, html=text.html, title=line,
                                            topics=None if topics is None else list(topics)))
        holding.overtaken(by, HeldKind.POST_EDIT, post_id=post_id)
    if as_draft and post.state == PostState.HELD:
        post.state = PostState.DRAFT.value
    apply(post, line, text, topics)
    return Saved(post)


def apply(post: Post, line: str, text: composing.Text, topics: Sequence[str] | None) -> None:
    """Give a post its next title, text and topics, where they differ. Whoever calls has asked everything else, and holds its row."""
    current = newest(post.id)
    changed = (line, text.source) != (current.title, current.source)
    if changed:
        _revise(post, line, text)
    if (topics is not None and publishing.set_topics(post, naming.settle(topics))) or changed:
        post.version += 1
        db.session.flush()
        versions.rise()


def topic_names(post_id: int) -> list[str]:
    """The post's topics as they stand, in their order. One statement."""
    named = select(Topic.name).join(PostTopic, PostTopic.topic_id == Topic.id).where(PostTopic.post_id == post_id).order_by(PostTopic.place)
    return list(db.session.execute(named).scalars())


def _slugs(names: Sequence[str]) -> list[str]:
    return [hyphenated(name, naming.LONGEST_NAME) for name in names]


def _revise(post: Post, line: str, text: composing.Text) -> None:
    moment = now()
    publishing.rename(post, line)
    post.revision += 1
    post.title, post.html, post.headings, post.teaser = line, text.html, text.contents, text.teaser
    post.words, post.renderer = text.words, text.renderer
    if post.state == PostState.PUBLISHED:
        post.edited_at = moment
    db.session.add(PostRevision(post_id=post.id, revision=post.revision, title=line, source=text.source, created_at=moment))


_REVISIONS = select(PostRevision.revision, PostRevision.title, PostRevision.source, PostRevision.created_at).order_by(PostRevision.revision.desc())


def newest(post_id: int) -> Revision:
    """The post's title and Markdown as they stand. One statement."""
    return Revision(*db.session.execute(_REVISIONS.where(PostRevision.post_id == post_id).limit(1)).one())


def first(post_id: int) -> Revision:
    """The post's title and Markdown as they were first sent. One statement."""
    return Revision(*db.session.execute(_REVISIONS.where(PostRevision.post_id == post_id, PostRevision.revision == 1)).one())


def history(post: PostFacts, post_id: int, by: Viewer, before: int | None = None) -> tuple[list[Revision], str]:
    """A page of revisions, newest first, from those older than `before` on; and the cursor of the next page. One statement.

    Open to whoever may read the post now; its author reads them always. Raises NotFound (hidden, draft), Gone (deleted).
    """
    _may_read_history(post, by)
    asked: Any = _REVISIONS.where(PostRevision.post_id == post_id).limit(PAGE + 1)
    if before is not None:
        asked = asked.where(PostRevision.revision < before)
    rows = [Revision(*row) for row in db.session.execute(asked)]
    left = MOST_COMPARED
    for index, (row, earlier) in enumerate(pairwise(rows)):
        left -= len(earlier.whole) + len(row.whole)
        rows[index] = replace(row, changes=tuple(diffing.compare(earlier.whole, row.whole))) if left >= 0 else replace(row, is_long=True)
    return rows[:PAGE], str(rows[PAGE - 1].number) if len(rows) > PAGE else ""


def version(post: PostFacts, post_id: int, by: Viewer, number: int) -> Revision:
    """One version with all that changed in it. One statement. Raises as `history`, and NotFound for a number that there is none of."""
    _may_read_history(post, by)
    asked = _REVISIONS.where(PostRevision.post_id == post_id, PostRevision.revision.in_((number, number - 1)))
    rows = [Revision(*row) for row in db.session.execute(asked)]
    if not rows or rows[0].number != number:
        raise NotFound("This post has no version of that number.")
    return replace(rows[0], changes=tuple(diffing.compare(rows[1].whole, rows[0].whole))) if len(rows) > 1 else rows[0]


def _may_read_history(post: PostFacts, by: Viewer) -> None:
    if not may_read_post(by, post) and not (by.is_member and post.author_id == by.id):
        raise Gone("Its author took this post down.") if may_see_post(by, post) and post.deleted_at is not None else NotFound()
