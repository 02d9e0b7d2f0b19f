"""Readings of a thread: a page of it as a flat list in reading order, one comment with its ancestors, more replies of one.

A page is bounded by rows, never by the thread: at most 5 statements and some 200 rows, whatever the size (docs/decisions tells why).
A thread that never had more than PAGE comments is read whole in one statement. A larger one is read top down by level inside a budget:
top rows by keyset, then the first replies of each, level by level, until the page is full. Reading order follows from (parent_id, id).
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Integer, Row, and_, any_, bindparam, cast, false, func, literal, not_, select, true, tuple_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import Join

from blog.accounts.models import Member
from blog.acts.models import Act, Rule
from blog.comments import branches
from blog.comments.models import ROOT, Comment
from blog.db import db
from blog.errors import Gone, NotFound
from blog.paging import LARGEST, LARGEST_COUNT, cursor, read_cursor
from blog.permissions import may_read_comment, may_read_post, may_see_post
from blog.posts.models import Post, PostSlug
from blog.viewer import Viewer

PAGE = 100  # rows a page
MOST_TOPS = 50
LEAST_TOPS = 10
ROWS_BY_REPLY = 4  # about so many rows hang on each direct reply of a top row: fewer branches on a page, and those nearly whole
REPLIES_BY_LEVEL = (5, 3, 2)  # how many replies of each comment are fetched at each level below the top; below, first replies only
DEEPEST = 12  # levels drawn; below stands "continue this thread"
ANCESTORS = 12  # nearest ones shown above a permalink, besides the root

SORTS = ("oldest", "newest", "active", "thanked")

_ASIDE = aliased(Act)
_COLUMNS = (
    Comment.id, Comment.post_id, Comment.seq, Comment.parent_id, Comment.root_id, Comment.depth, Comment.reply_count, Comment.thanks,
    Comment.active_seq, Comment.deleted_at, Comment.hidden_by, Comment.closed, Comment.aside_by, Comment.redacted, Comment.listed,
    Comment.author_id, Comment.html,
    Comment.version, Comment.parent_version, Comment.created_at, Comment.edited_at, Member.username, Member.display_name,
    Act.number.label("act_number"), Act.reason.label("act_reason"), Rule.number.label("rule_number"), Rule.title.label("rule_title"),
    _ASIDE.number.label("aside_number"), _ASIDE.reason.label("aside_reason"),
)

Fetched = Row[Any]


@dataclass(slots=True)
class Shown:
    """One comment as the page draws it. `level` is the nesting on this page, `depth` the true one in the thread."""

    id: int
    seq: int
    parent_id: int | None
    root_id: int
    depth: int
    reply_count: int
    thanks: int
    active_seq: int
    deleted_at: datetime | None
    hidden_by: int | None
    closed: bool
    listed: bool
    author_id: int
    username: str
    display_name: str
    html: str  # "" where the words are not for this reader
    version: int
    parent_version: int | None
    created_at: datetime
    edited_at: datetime | None
    act_number: int | None
    act_reason: str | None
    rule_number: int | None
    rule_title: str | None
    aside_by: int | None
    aside_number: int | None
    aside_reason: str | None
    redacted: bool
    by_post_author: bool
    level: int = 1
    parent_name: str = ""  # whom it answers, for "In reply to"
    answered_earlier: bool = False  # what it answers was changed since
    replies_shown: int = 0
    last_reply: int = 0  # id of the last reply shown, the cursor of "more replies"
    opens: str = ""  # "details" or "div": the element that its replies stand in; "" if it has none
    closes: "list[Closing]" = field(default_factory=list)  # what ends before this comment begins

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    @property
    def is_hidden(self) -> bool:
        return self.hidden_by is not None

    @property
    def is_tombstone(self) -> bool:
        return self.is_deleted or self.is_hidden

    @property
    def missing(self) -> int:
        """Replies that are not on this page."""
        return max(0, self.reply_count - self.replies_shown)

    @property
    def name(self) -> str:
        """Whom a reader sees: a tombstone has no name."""
        return shown_name(self.display_name, self.is_deleted, self.is_hidden)


def shown_name(display_name: str, is_deleted: bool, is_hidden: bool) -> str:
    """What stands for a comment's writer where it is referred to."""
    if is_hidden:
        return "the hidden comment"
    return "the deleted comment" if is_deleted else display_name


@dataclass(slots=True)
class Closing:
    """The end of a branch: first, where replies are missing, the way to them."""

    of: Shown
    had_replies: bool  # whether one was drawn, whose <li> is still open
    missing: int = 0  # replies that are not on this page; -1 where there are some and nobody counted
    continues: bool = False  # too deep to nest further: the way is the permalink


@dataclass(slots=True)
class Listing:
    """Comments in reading order, and what ends after the last one."""

    rows: list[Shown]
    closes: list[Closing]


@dataclass(slots=True)
class Discussion:
    """A page of a post's thread. `more` is the cursor of the next page, "" if this is the last; `after` the one that led here."""

    listing: Listing
    sort: str
    after: str
    more: str


class Buried(Gone):
    """The comment stands in a branch that a moderator hid whole: `above` is the comment on top of it, which tells rule and reason."""

    def __init__(self, above: int) -> None:
        super().__init__(f"A moderator hid the branch that this comment stands in. Comment {above}, on top of it, tells the rule and the reason.")
        self.above = above


@dataclass(slots=True)
class OnPost:
    """A comment together with what must be known of its post: what a door loads before it does anything."""

    comment: Shown
    post_id: int
    slug: str
    title: str
    state: str
    post_author_id: int
    post_deleted_at: datetime | None
    post_hidden_by: int | None
    post_locked_by: int | None
    last_seq: int
    comment_count: int
    post_version: int
    buried_by: int | None = None  # id of the topmost closed comment above it; then only its writer and moderators get this far
    shows_below: bool = False  # whether what a closed branch holds is shown: to moderators, at a comment's own page

    @property
    def is_shut(self) -> bool:
        """Whether what hangs on this comment stays out of this page."""
        return (self.comment.closed or self.buried_by is not None) and not self.shows_below

    @property
    def post(self) -> "PostOf":
        return PostOf(self.post_id, self.slug, self.post_author_id, self.state, self.post_deleted_at, self.post_hidden_by, self.post_locked_by,
                      self.last_seq, self.comment_count, self.title)


@dataclass(frozen=True, slots=True)
class PostOf:
    """The facts of a post that rulings and a thread need."""

    id: int
    slug: str
    author_id: int
    state: str
    deleted_at: datetime | None
    hidden_by: int | None
    locked_by: int | None
    last_seq: int
    comment_count: int
    title: str

    @property
    def shown_title(self) -> str:
        """What stands for the post where others are named: a hidden or deleted one has no title."""
        if self.hidden_by is not None or self.deleted_at is not None:
            return f"Post {self.id}"
        return self.title

    @property
    def path(self) -> str:
        """Its address; by number while it is hidden or deleted, so that the slug tells nothing."""
        return f"/posts/{self.id if self.hidden_by is not None or self.deleted_at is not None else self.slug}"


# -- statements, built once


class _ToReplies(Join):
    """A join to comments for SQLite: the left side is read first, and replies by their index, whatever the database’s figures say. Taken
    when the board was small, they would have it walk over all comments for ever."""

    inherit_cache = True


@compiles(_ToReplies)
def _to_replies(join: _ToReplies, compiler: Any, **options: Any) -> str:
    options.pop("asfrom", None)
    left, right = (compiler.process(side, asfrom=True, **options) for side in (join.left, join.right))
    return f"{left} CROSS JOIN {right} INDEXED BY comment_replies ON {compiler.process(join.onclause, **options)}"


def _joined(statement: Any) -> Any:
    # Everybody is a member; said as an outer join, so that no row is looked for from its writer.
    return (
        statement.outerjoin(Member, Member.id == Comment.author_id)
        .outerjoin(Act, Act.id == Comment.hidden_by)
        .outerjoin(Rule, Rule.id == Act.rule_id)
        .outerjoin(_ASIDE, _ASIDE.id == Comment.aside_by)
    )


_WHOLE = _joined(select(*_COLUMNS).select_from(Comment)).where(Comment.post_id == bindparam("post"), Comment.listed).order_by(Comment.seq)

_A: Any = bindparam("a")
_B: Any = bindparam("b")


@dataclass(frozen=True, slots=True)
class Order:
    """An order of roots, or of the replies of one comment: its columns, what stands after a cursor, and the parts of a cursor."""

    columns: tuple[Any, ...]
    after: Any
    key: Callable[[Shown], tuple[int, ...]]
    is_descending: bool = True


_ORDERS = {
    "oldest": Order((Comment.id,), Comment.id > _A, lambda row: (row.id,), is_descending=False),
    "newest": Order((Comment.id,), Comment.id < _A, lambda row: (row.id,)),
    "active": Order((Comment.active_seq,), Comment.active_seq < _A, lambda row: (row.active_seq,)),
    # Both descending: a row value with mixed directions can't be read from the index.
    "thanked": Order((Comment.thanks, Comment.seq), tuple_(Comment.thanks, Comment.seq) < tuple_(_A, _B), lambda row: (row.thanks, row.seq)),
}


@cache
def _tops(dialect: str, of: str, sort: str, is_further: bool) -> Any:
    """The first rows of an order, of the post or of the parent in :of: read from the order's index, which stops after a page.

    PostgreSQL has to be held to that index (docs/decisions/0006). Behind a cursor of two columns it expects one row, joins and sorts
    a million: so a few rows are picked first, and only those joined. And a thread that is a large part of the board it would find
    by walking the primary key, past everybody else's comments: so the order begins with the thread, which is asked for as a list of
    one; what is compared with a list is no constant, and only the index has that order.
    """
    order = _ORDERS[sort]
    owner: Any = Comment.post_id if of == "post" else Comment.parent_id
    mine = owner == (any_(cast(bindparam("of"), ARRAY(BigInteger))) if dialect == "postgresql" else bindparam("of"))
    conditions = [mine, ROOT if of == "post" else Comment.listed, *([order.after] if is_further else [])]
    by = [column.desc() if order.is_descending else column for column in ((owner, *order.columns) if dialect == "postgresql" else order.columns)]
    if dialect == "postgresql":
        picked = select(Comment.id).where(*conditions).order_by(*by).limit(MOST_TOPS + 1).subquery()
        return _joined(select(*_COLUMNS).select_from(picked).join(Comment, Comment.id == picked.c.id))
    return _joined(select(*_COLUMNS).select_from(Comment)).where(*conditions).order_by(*by).limit(MOST_TOPS + 1)


def _fetched_tops(of: str, owner_id: int, sort: str, parts: Sequence[int] | None, post_author_id: int) -> list[Shown]:
    """The rows of _tops in their order. One statement."""
    dialect, order = _dialect(), _ORDERS[sort]
    values: dict[str, Any] = {"of": [owner_id] if dialect == "postgresql" else owner_id, **dict(zip("ab", parts or (), strict=False))}
    rows = [_shown(row, post_author_id) for row in db.session.execute(_tops(dialect, of, sort, parts is not None), values)]
    rows.sort(key=order.key, reverse=order.is_descending)  # joining promises no order
    return rows


def _dialect() -> str:
    return db.session.get_bind().dialect.name


@cache
def _first_replies(dialect: str) -> Any:
    """The first :k listed replies of each comment in :ids (PostgreSQL: a list; SQLite: a JSON text)."""
    reply = aliased(Comment)
    if dialect == "postgresql":
        parents = func.unnest(cast(bindparam("ids"), ARRAY(BigInteger))).table_valued("id", name="u").render_derived()
        pick = select(reply.id).where(reply.parent_id == parents.c.id, reply.listed).order_by(reply.id).limit(bindparam("k")).lateral("x")
        return _joined(select(*_COLUMNS).select_from(parents).join(pick, true()).join(Comment, Comment.id == pick.c.id))
    listed = func.json_each(bindparam("ids")).table_valued("value", name="u")
    first = select(reply.id).where(reply.parent_id == listed.c.value, reply.listed).order_by(reply.id).limit(bindparam("k")).correlate(listed)
    reply_of = and_(Comment.parent_id == listed.c.value, Comment.listed, Comment.id.in_(first))
    return _joined(select(*_COLUMNS).select_from(_ToReplies(listed, Comment.__table__, reply_of)))


@cache
def _chains(dialect: str) -> Any:
    """The first listed reply of each comment in :ids, the first of that one, and so on for :steps levels: conversations go down, not wide."""
    above, reply = aliased(Comment), aliased(Comment)
    if dialect == "postgresql":
        ids = func.unnest(cast(bindparam("ids"), ARRAY(BigInteger))).table_valued("id", name="u").render_derived()
        parent = ids.c.id
    else:
        ids = func.json_each(bindparam("ids")).table_valued("value", name="u")
        parent = ids.c.value
    first = select(reply.id).where(reply.parent_id == parent, reply.listed).order_by(reply.id).limit(1).correlate(ids).scalar_subquery()
    chain = select(first.label("id"), cast(literal(1), Integer).label("step")).select_from(ids).cte("chain", recursive=True)
    below = select(reply.id).where(reply.parent_id == above.id, reply.listed).order_by(reply.id).limit(1).correlate(above).scalar_subquery()
    chain = chain.union_all(
        select(below, chain.c.step + 1).select_from(chain).join(above, above.id == chain.c.id).where(not_(above.closed), chain.c.step < bindparam("steps"))
    )
    return _joined(select(*_COLUMNS).select_from(chain).join(Comment, Comment.id == chain.c.id))


_POST_COLUMNS = (
    Post.slug, Post.title, Post.state, Post.author_id.label("post_author_id"), Post.deleted_at.label("post_deleted_at"),
    Post.hidden_by.label("post_hidden_by"), Post.locked_by.label("post_locked_by"), Post.last_seq, Post.comment_count, Post.version.label("post_version"),
)
_ABOVE, _ABOVE_AUTHOR = aliased(Comment), aliased(Member)
_ABOVE_COLUMNS = (
    _ABOVE.version.label("above_version"), _ABOVE.deleted_at.label("above_deleted_at"), _ABOVE.hidden_by.label("above_hidden_by"),
    _ABOVE_AUTHOR.display_name.label("above_name"),
)
_ONE = (
    _joined(select(*_COLUMNS, *_POST_COLUMNS, *_ABOVE_COLUMNS, branches.closed_above().label("buried_by")).select_from(Comment)
            .join(Post, Post.id == Comment.post_id))
    .outerjoin(_ABOVE, _ABOVE.id == Comment.parent_id)
    .outerjoin(_ABOVE_AUTHOR, _ABOVE_AUTHOR.id == _ABOVE.author_id)
    .where(Comment.id == bindparam("id"))
)


_POST_FACTS: Any = select(
    Post.id, Post.slug, Post.author_id, Post.state, Post.deleted_at, Post.hidden_by, Post.locked_by, Post.last_seq, Post.comment_count, Post.title,
)


def _ancestors(limit: int) -> Any:
    """The nearest ancestors of :id by a walk up parent_id, and its root."""
    walk = select(Comment.id, Comment.parent_id, func.coalesce(Comment.root_id, Comment.id).label("root"), cast(literal(1), Integer).label("step"))
    start = walk.where(Comment.id == bindparam("id")).cte("up", recursive=True)
    above = aliased(Comment)
    up = start.union_all(
        select(above.id, above.parent_id, func.coalesce(above.root_id, above.id), start.c.step + 1)
        .where(above.id == start.c.parent_id, start.c.step <= limit)
    )
    wanted = select(up.c.id).union(select(up.c.root)).subquery()
    return _joined(select(*_COLUMNS).select_from(Comment)).where(Comment.id.in_(select(wanted.c.id)), Comment.id != bindparam("id")).order_by(Comment.id)


# -- readings


def discussion(post: PostOf, *, sort: str = "oldest", after: str = "") -> Discussion:
    """A page of the thread: at most 5 statements, 1 for a thread of up to PAGE comments. Raises Malformed for a bad cursor.

    The same for every reader: what differs (own comments, what may be pressed) is laid around it by the template.
    """
    order, parts = _ORDERS[sort], position(sort, after)
    if post.last_seq <= PAGE and parts is None:
        everything = [_shown(row, post.author_id) for row in db.session.execute(_WHOLE, {"post": post.id})]
        tops = [row for row in everything if row.parent_id is None]
        tops.sort(key=order.key, reverse=order.is_descending)
        return Discussion(_listed(tops, _by_parent(everything), 1), sort, "", "")
    fetched = _fetched_tops("post", post.id, sort, parts, post.author_id)
    tops = _as_many_as_fit(fetched)
    more = cursor(*order.key(tops[-1])) if len(fetched) > len(tops) else ""
    return Discussion(_listed(tops, _levels(tops, post.author_id), 1), sort, after, more)


def position(sort: str, after: str) -> tuple[int, ...] | None:
    """The key that a cursor of this order stands for. Raises Malformed."""
    return read_cursor(after, 2 if sort == "thanked" else 1, LARGEST if sort in ("oldest", "newest") else LARGEST_COUNT)


def replies(on: OnPost, *, after: str = "", level: int = 1) -> tuple[Listing, str]:
    """More replies of one comment, from the cursor on, and the cursor of the next page ("" at the end). At most 6 statements."""
    if on.is_shut:
        return Listing([], []), ""
    fetched = _fetched_tops("parent", on.comment.id, "oldest", read_cursor(after), on.post_author_id)
    for row in fetched:
        _answers(row, on.comment)
    tops = _as_many_as_fit(fetched)
    return _listed(tops, _levels(tops, on.post_author_id), level), cursor(tops[-1].id) if len(fetched) > len(tops) else ""


def one(viewer: Viewer, comment_id: int, *, own_page: bool = False) -> OnPost:
    """A comment and its post, for a door. One statement. Raises NotFound, or Gone where its writer deleted it and nothing hangs on it, and
    Buried for one below a hidden branch (but for its writer and moderators).

    `own_page`: a hidden comment's words are there for its writer and for moderators; everywhere else it is the same tombstone for all.
    """
    row = db.session.execute(_ONE, {"id": comment_id}).one_or_none()
    if row is None:
        raise NotFound("There is no such comment. It may have been typed wrong.")
    found = OnPost(
        comment=_shown(row, row.post_author_id), post_id=row.post_id, slug=row.slug, title=row.title, state=row.state,
        post_author_id=row.post_author_id, post_deleted_at=row.post_deleted_at, post_hidden_by=row.post_hidden_by,
        post_locked_by=row.post_locked_by,
        last_seq=row.last_seq, comment_count=row.comment_count, post_version=row.post_version,
    )
    if not may_see_post(viewer, found.post):
        raise NotFound()
    if not row.listed and not (viewer.is_member and row.author_id == viewer.id):
        raise Gone("Its writer deleted this comment.")
    if row.buried_by is not None and not (viewer.is_moderator or (viewer.is_member and row.author_id == viewer.id)):
        raise Buried(row.buried_by)
    found.buried_by, found.shows_below = row.buried_by, own_page and viewer.is_moderator
    if own_page and may_read_comment(viewer, found.comment, found.post):
        found.comment.html = row.html
    elif row.buried_by is not None:
        found.comment.html = ""  # it stands in no thread
    if row.parent_id is not None:  # drawn alone, it says whom it answers as it does in the thread
        is_gone = row.above_deleted_at is not None or row.above_hidden_by is not None
        found.comment.parent_name = shown_name(row.above_name, row.above_deleted_at is not None, row.above_hidden_by is not None)
        found.comment.answered_earlier = row.parent_version is not None and row.parent_version < row.above_version and not is_gone
    return found


def place(viewer: Viewer, comment_id: int) -> str:
    """Address of a page that shows the comment, or of what stands for it: the top of the hidden branch that it is in. Raises as `one`."""
    try:
        return page_with(one(viewer, comment_id))
    except Buried as buried:
        return f"/comments/{buried.above}"


def post_at(viewer: Viewer, slug: str) -> PostOf:
    """The post at an address (its slug, an older one, or its number), for the doors of its discussion. One statement.

    Raises NotFound, or Gone where its author took it down and nobody had commented.
    """
    if slug.isascii() and slug.isdigit():
        found = _POST_FACTS.where(Post.id == int(slug)) if len(slug) <= 18 else _POST_FACTS.where(false())
    else:
        found = _POST_FACTS.join(PostSlug, PostSlug.post_id == Post.id).where(PostSlug.slug == slug)
    row = db.session.execute(found).one_or_none()
    if row is None:
        raise NotFound()
    post = PostOf(*row)
    if not may_see_post(viewer, post):
        raise NotFound()
    if post.deleted_at is not None and post.last_seq == 0:
        raise Gone("Its author took this post down.")
    return post


def post_words(viewer: Viewer, post_id: int) -> str:
    """A post's HTML for whoever may read it; "" for others. One statement."""
    asked = select(Post.author_id, Post.state, Post.deleted_at, Post.hidden_by, Post.locked_by, Post.html).where(Post.id == post_id)
    row = db.session.execute(asked).one_or_none()
    return row.html if row is not None and may_read_post(viewer, row) else ""


def ancestors(on: OnPost) -> list[Shown]:
    """The root and the nearest ancestors, from the root down; of a hidden branch only its top. One statement."""
    if on.comment.parent_id is None:
        return []
    rows = [_shown(row, on.post_author_id) for row in db.session.execute(_UP, {"id": on.comment.id})]
    if on.buried_by is not None and not on.shows_below:
        rows = [row for row in rows if row.id <= on.buried_by]  # whatever is above is older
    _name_parents(rows)
    return rows


_UP = _ancestors(ANCESTORS)


def by_number(post_id: int, seq: int) -> int | None:
    """Id of the post's comment number `seq`. One statement."""
    return db.session.execute(select(Comment.id).where(Comment.post_id == post_id, Comment.seq == seq)).scalar_one_or_none()


def page_with(on: OnPost) -> str:
    """Address of a page that shows the comment, at its anchor: the post's own for a small thread, else the permalink."""
    anchor = f"#comment-{on.comment.id}"
    if on.last_seq <= PAGE and on.comment.depth <= DEEPEST:
        return f"{on.post.path}{anchor}"
    return f"/comments/{on.comment.id}{anchor}"


# -- putting a page together


def _shown(row: Fetched, post_author_id: int) -> Shown:
    return Shown(
        id=row.id, seq=row.seq, parent_id=row.parent_id, root_id=row.root_id or row.id, depth=row.depth, reply_count=row.reply_count,
        thanks=row.thanks, active_seq=row.active_seq, deleted_at=row.deleted_at, hidden_by=row.hidden_by, closed=row.closed,
        listed=row.listed, author_id=row.author_id, username=row.username, display_name=row.display_name,
        html="" if row.hidden_by is not None or row.deleted_at is not None else row.html, version=row.version,
        parent_version=row.parent_version, created_at=row.created_at, edited_at=row.edited_at, act_number=row.act_number,
        act_reason=row.act_reason, rule_number=row.rule_number, rule_title=row.rule_title,
        aside_by=row.aside_by, aside_number=row.aside_number, aside_reason=row.aside_reason, redacted=row.redacted,
        by_post_author=row.author_id == post_author_id,
    )


def _as_many_as_fit(fetched: Sequence[Shown]) -> list[Shown]:
    """Of the top rows, as many as will fill about one page with their first replies; the rest waits behind "more"."""
    weight, count = 0, 0
    for row in fetched[:MOST_TOPS]:
        count += 1
        weight += 1 + ROWS_BY_REPLY * min(row.reply_count, 5)
        if weight > PAGE and count >= LEAST_TOPS:
            break
    return list(fetched[:count])


def _levels(tops: Sequence[Shown], post_author_id: int) -> dict[int, list[Shown]]:
    """First replies, level by level, inside the budget of a page. One statement a level, four at most: the last goes all the way down.

    No more is fetched than is shown, but for the last statement: how far down a chain goes is known only when it was followed.
    """
    left = PAGE - len(tops)
    children: dict[int, list[Shown]] = {}
    parents = list(tops)
    found: dict[int, list[Shown]] = {}
    for below in range(DEEPEST - 1):
        shares = _shares(parents, REPLIES_BY_LEVEL[below] if below < len(REPLIES_BY_LEVEL) else 1, left)
        if not shares:
            break
        if below <= len(REPLIES_BY_LEVEL):
            found = _by_parent(_first_of(shares, below, post_author_id))
        for parent_id, share in shares.items():
            if parent_id in found:
                children[parent_id] = found[parent_id][:share]
        parents = [child for parent in parents for child in (children.get(parent.id, ()) if parent.id in shares else ())]
        left -= len(parents)
    return children


def _shares(parents: Sequence[Shown], most: int, left: int) -> dict[int, int]:
    """How many replies of each parent there is room for: everybody's first before anybody's second, in page order, `most` of each."""
    shares: dict[int, int] = {}
    for turn in range(most):
        for row in parents:
            if left > 0 and turn < row.reply_count and not row.closed:
                shares[row.id] = turn + 1
                left -= 1
    return shares


def _first_of(shares: dict[int, int], below: int, post_author_id: int) -> list[Shown]:
    """The first replies of those parents, oldest first; below the levels that have their own statement with all the first replies of these."""
    dialect, ids = _dialect(), list(shares)
    values: dict[str, Any] = {"ids": ids if dialect == "postgresql" else json.dumps(ids)}
    if below < len(REPLIES_BY_LEVEL):
        rows = db.session.execute(_first_replies(dialect), {**values, "k": max(shares.values())})
    else:
        rows = db.session.execute(_chains(dialect), {**values, "steps": DEEPEST - 1 - below})
    return sorted((_shown(row, post_author_id) for row in rows), key=lambda row: row.id)


def _by_parent(rows: Iterable[Shown]) -> dict[int, list[Shown]]:
    children: dict[int, list[Shown]] = {}
    for row in rows:
        if row.parent_id is not None:
            children.setdefault(row.parent_id, []).append(row)
    return children


def _listed(tops: Sequence[Shown], children: dict[int, list[Shown]], level: int) -> Listing:
    """Preorder as a flat list; each row knows which branches end before it. No recursion: threads are deep."""
    rows: list[Shown] = []
    pending: list[Closing] = []  # branches that ended since the last row
    stack: list[tuple[Shown, int]] = [(top, level) for top in reversed(tops)]
    open_branches: list[tuple[Shown, int, int]] = []  # parent, its level, replies still to come
    deepest = level + DEEPEST - 1
    while stack:
        row, at = stack.pop()
        row.level = at
        row.closes, pending = pending, []
        rows.append(row)
        below = children.get(row.id, []) if not row.closed and at < deepest else []
        row.replies_shown = len(below)
        row.last_reply = below[-1].id if below else 0
        if row.reply_count and not row.closed:
            row.opens = "details" if row.parent_id is None or row.reply_count > 1 else "div"
            if below:
                for child in reversed(below):
                    _answers(child, row)
                    stack.append((child, at + 1))
                open_branches.append((row, at, len(below)))
                continue
            pending.append(Closing(row, had_replies=False, missing=row.missing, continues=at >= deepest))
        # This row has nothing below: it may be the last of its branch, and that branch of the one above.
        while open_branches:
            parent, parent_level, waiting = open_branches.pop()
            if waiting > 1:
                open_branches.append((parent, parent_level, waiting - 1))
                break
            pending.append(Closing(parent, had_replies=True, missing=parent.missing))
    return Listing(rows, pending)


def chained(above: Sequence[Shown], on: OnPost, below: Listing, *, first_page: bool, more: str) -> Listing:
    """A permalink's page: ancestors as a chain, the comment, its replies (listed from level len(above) + 2 on)."""
    chain = [*above, on.comment]
    if above:
        _answers(on.comment, above[-1])
    for level, row in enumerate(chain, 1):
        row.level = level
        row.opens = "div"
        row.replies_shown = row.reply_count  # what else hangs on an ancestor is not this page's business
    comment = on.comment
    tops = [row for row in below.rows if row.parent_id == comment.id]
    comment.replies_shown = len(tops)
    comment.last_reply = tops[-1].id if tops else 0
    comment.opens = ("details" if comment.reply_count > 1 else "div") if comment.reply_count and not on.is_shut else ""
    ends = [Closing(row, had_replies=True) for row in reversed(above)]
    if comment.opens:
        missing = 0 if not more else comment.missing if first_page else -1
        ends.insert(0, Closing(comment, had_replies=bool(tops), missing=missing))
    return Listing([*chain, *below.rows], [*below.closes, *ends])


def _answers(row: Shown, parent: Shown) -> None:
    """Tell whom a row answers, and whether that was changed since."""
    row.parent_name = parent.name
    row.answered_earlier = row.parent_version is not None and row.parent_version < parent.version and not parent.is_tombstone


def _name_parents(rows: Sequence[Shown]) -> None:
    by_id = {row.id: row for row in rows}
    for row in rows:
        if row.parent_id in by_id:
            _answers(row, by_id[row.parent_id])
