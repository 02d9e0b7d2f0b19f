"""Threads for measuring: the same seed gives the same rows, on both databases, with every derived column as the deeds would have left it.

Rows are written past the deeds, in bulk: a million comments by the deeds would take half an hour. Three shapes:

* wide: three comments in ten are roots, a third of all are direct replies to the very first, the rest stand under ten roots;
* deep: chains down to depth 60, with a side reply here and there;
* real: one comment in five is a root, mean depth 3.7, early comments are answered most.

One comment in a hundred was deleted by its writer: a tombstone where replies hang on it, else unlisted. Words are made up, sixty to a
comment, no two comments alike. Thanks are numbers only; with `complete`, the rows behind them and the revisions are written too.
"""

import io
import json
import random
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from typing import Any

from psycopg.errors import InsufficientPrivilege
from sqlalchemy import func, insert, select

from blog.accounts.models import Member
from blog.comments.models import Comment
from blog.db import db
from blog.posts.models import Post, PostRevision, PostSlug

SHAPES = ("wide", "deep", "real")
SEED = 20_250_101

# Comments of one post are this far apart. A fixed beginning, so that two runs give the same rows.
BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
APART = timedelta(seconds=20)

# Ids begin here, as on a board that is no longer young: else pages of the thread that was loaded first would weigh less for their short ids.
FIRST_ID = 1_000_001

DEEPEST_CHAIN = 60
WRITERS = 200
ROWS_A_TRANSACTION = 50_000
DELETED = 0.01


@dataclass(slots=True)
class Plan:
    """A thread as columns; index i is the comment with number i + 1. `parent` holds indexes, -1 for a root; so does `root`, of itself for a root."""

    parent: list[int]
    root: list[int]
    depth: list[int]
    deleted: list[bool]
    listed: list[bool]
    reply_count: list[int]
    active_seq: list[int]
    thanks: list[int]
    writer: list[int]  # index among the writers

    def __len__(self) -> int:
        return len(self.parent)

    @property
    def live(self) -> int:
        """Comments that everybody reads."""
        return len(self) - sum(self.deleted)

    def busiest(self) -> int:
        """Index of the comment with the most listed replies."""
        return max(range(len(self)), key=self.reply_count.__getitem__)

    def deepest(self) -> int:
        """Index of the listed comment that stands deepest."""
        return max((index for index in range(len(self)) if self.listed[index]), key=self.depth.__getitem__)


def plan(shape: str, size: int, seed: int = SEED) -> Plan:
    """A thread of `size` comments of that shape, with all derived columns."""
    dice = random.Random(f"{seed} {shape} {size}")
    parent = {"wide": _wide, "deep": _deep, "real": _real}[shape](size, dice)
    root, depth, active = list(range(size)), [1] * size, list(range(1, size + 1))
    for index, above in enumerate(parent):
        if above >= 0:
            root[index] = root[above]
            depth[index] = depth[above] + 1
            active[root[index]] = index + 1
    deleted = [dice.random() < DELETED for _ in range(size)]
    listed, replies = [True] * size, [0] * size
    # Replies are younger than what they answer, so from the end on all replies of a comment are known.
    for index in range(size - 1, -1, -1):
        listed[index] = not deleted[index] or replies[index] > 0
        if listed[index] and parent[index] >= 0:
            replies[parent[index]] += 1
    # Two in three have none, a few have many: orders by thanks meet long runs of equal keys.
    thanks = [min(WRITERS - 1, int(1 / (1 - dice.random()) ** 0.8) - 1) if dice.random() < 0.5 else 0 for _ in range(size)]
    writer = [int(WRITERS * dice.random() ** 2) for _ in range(size)]
    return Plan(parent, root, depth, deleted, listed, replies, active, thanks, writer)


def _wide(size: int, dice: random.Random) -> list[int]:
    parent = [-1] * size
    branches: list[list[int]] = [[index] for index in range(min(10, size))]
    for index in range(10, size):
        kind = dice.random()
        if kind < 0.30:
            continue
        if kind < 0.30 + 1 / 3:
            parent[index] = 0
            continue
        branch = branches[int(dice.random() * 10)]
        parent[index] = branch[int(dice.random() * len(branch))]
        branch.append(index)
    return parent


def _deep(size: int, dice: random.Random) -> list[int]:
    parent, depth = [-1] * size, [1] * size
    ends = [0] * max(1, min(40, size // 100))
    for index in range(1, size):
        chain = int(dice.random() * len(ends))
        end = ends[chain]
        if index < len(ends):
            ends[index] = index  # the chains begin
        elif dice.random() < 0.15:
            parent[index] = end  # beside the chain: nobody goes on from here
            depth[index] = depth[end] + 1
        elif depth[end] >= DEEPEST_CHAIN - 1:
            ends[chain] = index
        else:
            parent[index], depth[index] = end, depth[end] + 1
            ends[chain] = index
    return parent


def _real(size: int, dice: random.Random) -> list[int]:
    parent = [-1] * size
    roots = [0]
    for index in range(1, size):
        kind = dice.random()
        if kind < 0.20:
            roots.append(index)
        elif kind < 0.28:
            parent[index] = roots[-1 - int(dice.random() * min(20, len(roots)))]
        elif kind < 0.38:
            parent[index] = int(index * dice.random() ** 3)  # what stands at the top is answered most
        else:
            parent[index] = max(0, index - 1 - int(dice.expovariate(1 / 30)))  # what was said last
    return parent


# -- words


class Words:
    """Sixty made-up words for each comment, about 300 bytes of HTML, as compressible as prose."""

    def __init__(self, seed: int = SEED) -> None:
        dice = random.Random(f"{seed} words")
        syllables = [first + vowel + last for first in "bdfghklmnprstvw" for vowel in "aeiou" for last in ("", "", "n", "r", "s", "l")]
        vocabulary = sorted({"".join(dice.choices(syllables, k=dice.choice((1, 2, 2, 3)))) for _ in range(6000)})
        # Few words are used often, many seldom, as in any language, and the short ones most.
        vocabulary.sort(key=lambda word: len(word) + dice.random() * 5)
        often = list(accumulate(1 / (rank + 4) for rank in range(len(vocabulary))))
        self._phrases = [" ".join(dice.choices(vocabulary, cum_weights=often, k=12)) for _ in range(4096)]
        self._dice = random.Random(f"{seed} texts")

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Markdown and its HTML, without end."""
        phrases, bits = self._phrases, self._dice.getrandbits
        while True:
            drawn = bits(64)
            a, b, c, d, e = (phrases[drawn >> shift & 4095] for shift in (0, 12, 24, 36, 48))
            if drawn >> 60:
                text = f"{a} {b}, {c} {d}. {e}."
                yield text, f"<p>{text}</p>"
            else:  # one in sixteen has two paragraphs
                yield f"{a} {b}.\n\n{c} {d} {e}.", f"<p>{a} {b}.</p>\n<p>{c} {d} {e}.</p>"


# -- rows

COLUMNS = (
    "id", "post_id", "seq", "parent_id", "root_id", "depth", "reply_count", "thanks", "active_seq", "deleted_at", "closed", "listed",
    "author_id", "html", "renderer", "version", "parent_version", "created_at",
)
REVISION_COLUMNS = ("comment_id", "version", "source", "created_at")


def _rows(thread: Plan, post_id: int, first_id: int, writers: Sequence[int], words: Iterator[tuple[str, str]]) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Each comment's row in the order of COLUMNS, and its Markdown."""
    for index, (source, html) in zip(range(len(thread)), words, strict=False):
        above = thread.parent[index]
        moment = BEGINNING + APART * index
        gone = thread.deleted[index]
        yield (
            first_id + index, post_id, index + 1, first_id + above if above >= 0 else None, first_id + thread.root[index] if above >= 0 else None,
            thread.depth[index], thread.reply_count[index], thread.thanks[index], thread.active_seq[index], moment if gone else None, False,
            thread.listed[index], writers[thread.writer[index]], "" if gone else html, 1, 1, 1 if above >= 0 else None, moment,
        ), source


def writers() -> list[int]:
    """Ids of the members who write the threads; made at the first call, committed."""
    names = [f"writer{number:03}" for number in range(WRITERS)]
    found = db.session.execute(select(Member.id).where(Member.username_key.in_(names)).order_by(Member.id)).scalars().all()
    if not found:
        db.session.execute(insert(Member), [
            {"username": name, "username_key": name, "display_name": f"Writer {number}", "created_at": BEGINNING, "verified_at": BEGINNING}
            for number, name in enumerate(names)
        ])
        db.session.commit()
        found = db.session.execute(select(Member.id).where(Member.username_key.in_(names)).order_by(Member.id)).scalars().all()
    return list(found)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A thread in the database, and the places in it that are measured."""

    post_id: int
    slug: str
    shape: str
    size: int
    first_id: int
    busiest_id: int
    deepest_id: int
    middle_id: int  # a listed root in the middle
    middle_cursors: dict[str, str]  # by order: the cursor of a page in the middle


def load(shape: str, size: int, *, slug: str = "", seed: int = SEED, complete: bool = False) -> Loaded:
    """Write a published post with a thread of that shape and size, and commit. In an application context.

    SQLite by executemany, a transaction for each 50,000 rows; PostgreSQL by COPY, the same. Foreign keys are not asked row by row
    where the database lets us (the rows are right by construction; tests/bench compares them).
    """
    slug = slug or f"{shape}-{size}"
    ids = writers()
    thread = plan(shape, size, seed)
    newest = BEGINNING + APART * (size - 1)
    post = Post(
        author_id=ids[0], slug=slug, title=f"{shape.capitalize()}, {size:,} comments", html="<p>What the discussion is about.</p>", headings=[],
        teaser="What the discussion is about.", words=6, state="published", created_at=BEGINNING, published_at=BEGINNING, active_at=newest,
        last_seq=size, comment_count=thread.live, version=size,
    )
    db.session.add(post)
    db.session.flush()
    db.session.add(PostSlug(slug=slug, post_id=post.id))
    db.session.add(PostRevision(post_id=post.id, revision=1, title=post.title, source="What the discussion is about.", created_at=BEGINNING))
    post_id = post.id
    first_id = max(FIRST_ID, (db.session.execute(select(func.max(Comment.id))).scalar() or 0) + 1)
    db.session.commit()
    rows = _rows(thread, post_id, first_id, ids, iter(Words(seed)))
    raw = db.engine.raw_connection()
    try:
        if db.engine.dialect.name == "sqlite":
            _into_sqlite(raw.driver_connection, rows, complete)
        else:
            _into_postgresql(raw.driver_connection, rows, complete)
        if complete:
            _thanks(raw.driver_connection, thread, first_id, ids)
    finally:
        raw.invalidate()  # its settings were for loading alone
        raw.close()
    return _places(thread, post_id, slug, shape, first_id)


def _places(thread: Plan, post_id: int, slug: str, shape: str, first_id: int) -> Loaded:
    roots = [index for index in range(len(thread)) if thread.parent[index] < 0 and thread.listed[index]]
    middle = roots[len(roots) // 2]
    by_activity = sorted((thread.active_seq[index] for index in roots), reverse=True)
    by_thanks = sorted(((thread.thanks[index], index + 1) for index in roots), reverse=True)
    half = len(roots) // 2
    cursors = {
        "oldest": f"{first_id + middle}", "newest": f"{first_id + middle}", "active": f"{by_activity[half]}",
        "thanked": f"{by_thanks[half][0]}.{by_thanks[half][1]}",
    }
    return Loaded(post_id, slug, shape, len(thread), first_id, first_id + thread.busiest(), first_id + thread.deepest(), first_id + middle, cursors)


def is_free(slug: str) -> bool:
    """Whether no post has this slug."""
    return db.session.execute(select(PostSlug.slug).where(PostSlug.slug == slug)).first() is None


def found(shape: str, size: int, slug: str, seed: int = SEED) -> Loaded | None:
    """The thread at this slug, if it was loaded before and nobody wrote in it since."""
    row = db.session.execute(select(Post.id, Post.last_seq, Post.version).where(Post.slug == slug)).one_or_none()
    if row is None or row.last_seq != size:
        return None
    first_id = db.session.execute(select(Comment.id).where(Comment.post_id == row.id, Comment.seq == 1)).scalar_one()
    return _places(plan(shape, size, seed), row.id, slug, shape, first_id)


def _into_sqlite(connection: Any, rows: Iterator[tuple[tuple[Any, ...], str]], complete: bool) -> None:
    # As text, the way SQLAlchemy stores it: the driver's own adapter is deprecated, and writes a zone.
    def plain(moment: datetime) -> str:
        return moment.strftime("%Y-%m-%d %H:%M:%S.%f")

    write = f"INSERT INTO comment ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
    revise = f"INSERT INTO comment_revision ({', '.join(REVISION_COLUMNS)}) VALUES (?, ?, ?, ?)"
    for setting in ("foreign_keys = OFF", "synchronous = OFF", "cache_size = -262144"):
        connection.execute(f"PRAGMA {setting}")
    while part := list(islice(rows, ROWS_A_TRANSACTION)):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(write, ((*row[:9], row[9] and plain(row[9]), *row[10:-1], plain(row[-1])) for row, _ in part))
        if complete:
            connection.executemany(revise, ((row[0], 1, source, plain(row[-1])) for row, source in part))
        connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _into_postgresql(connection: Any, rows: Iterator[tuple[tuple[Any, ...], str]], complete: bool) -> None:
    connection.rollback()
    try:
        connection.execute("SET session_replication_role = replica")  # no look-ups of foreign keys; a superuser's right
    except InsufficientPrivilege:
        connection.rollback()
    connection.execute("SET synchronous_commit = off")
    connection.commit()
    with connection.cursor() as cursor:
        while part := list(islice(rows, ROWS_A_TRANSACTION)):
            # One text for many rows: row by row the driver takes three times as long.
            _copy(cursor, "comment", COLUMNS, (row for row, _ in part))
            if complete:
                _copy(cursor, "comment_revision", REVISION_COLUMNS, ((row[0], 1, source, row[-1]) for row, source in part))
            connection.commit()
        cursor.execute("SELECT setval(pg_get_serial_sequence('comment', 'id'), (SELECT max(id) FROM comment))")
        connection.commit()


def _copy(cursor: Any, table: str, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> None:
    text = io.StringIO()
    for row in rows:
        text.write("\t".join([_copied(value) for value in row]))
        text.write("\n")
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        copy.write(text.getvalue())


def _copied(value: Any) -> str:
    """A value as COPY's text format has it."""
    if value is None:
        return r"\N"
    if value is True or value is False:
        return "t" if value else "f"
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
    return str(value)


def _thanks(connection: Any, thread: Plan, first_id: int, ids: Sequence[int]) -> None:
    """A row for each thank: the writers after the comment's own, in turn."""
    pairs = (
        (first_id + index, ids[(thread.writer[index] + turn) % len(ids)])
        for index in range(len(thread))
        for turn in range(1, thread.thanks[index] + 1)
    )
    if isinstance(connection, sqlite3.Connection):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO thank (comment_id, member_id) VALUES (?, ?)", pairs)
        connection.execute("COMMIT")
        return
    with connection.cursor() as cursor:
        _copy(cursor, "thank", ("comment_id", "member_id"), pairs)
    connection.commit()


def settle() -> None:
    """What a living board's server does by itself after so many rows: PostgreSQL gathers statistics and cleans up (autovacuum).

    SQLite gathers none unless told to, and nobody tells it.
    """
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def facts(thread: Plan) -> str:
    """A line about a plan's shape, as JSON: for whoever tunes the shapes."""
    size = len(thread)
    return json.dumps({
        "size": size, "roots": sum(parent < 0 for parent in thread.parent), "mean depth": round(sum(thread.depth) / size, 2),
        "deepest": max(thread.depth), "busiest": max(thread.reply_count), "deleted": sum(thread.deleted),
        "unlisted": size - sum(thread.listed), "with thanks": sum(count > 0 for count in thread.thanks),
    })
