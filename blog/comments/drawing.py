"""Drawing a page of a thread once for everybody, and laying around it what differs between viewers.

The costly part, a hundred comments through the template, is kept by post and version. It holds a gap wherever a viewer's own line goes
(what may be pressed, what is new). The gaps are filled with lines drawn once for each kind of viewer; only a viewer's own comments,
marks and thanks are drawn for them alone. A kept thread costs a reader no statement and no template.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any

from flask import current_app, g
from markupsafe import Markup

from blog.accounts.models import Role
from blog.caching import Kept
from blog.comments import thanking, thread, visits
from blog.comments.talk import Talk
from blog.comments.thread import PostOf, Shown
from blog.config import settings
from blog.viewer import STRANGER, Viewer

# About a thousand pages of a hundred comments.
MOST_BYTES = 64 * 1024 * 1024

_kept: Kept["Block"] = Kept(MOST_BYTES)

# What the template leaves where a viewer's line goes: kind and id between two characters that no stored HTML holds.
GAP = re.compile("\x02([au])([0-9]+)\x03")


@dataclass(slots=True)
class Block:
    """A page of a thread with gaps. `pieces` and `gaps` alternate, beginning and ending with a piece."""

    pieces: list[str]
    gaps: list[tuple[str, int]]
    rows: list[Shown]  # without their words
    by_id: dict[int, Shown]
    more: str
    lines: dict[str, dict[int, str]] = field(default_factory=dict)  # by kind of viewer, then by comment


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page of a thread as one viewer sees it."""

    html: Markup
    more: str
    is_empty: bool
    first_new: int  # id of the first comment on the page that is new to the viewer, 0 if none is
    new_elsewhere: int  # id of the first new one that the page does not show, 0 if there is none


def draw(post: PostOf, version: tuple[int, int], talk: Talk, *, sort: str = "oldest", after: str = "") -> Drawn:
    """The page for `talk.viewer`. `version`: of the thread and of the board. Statements: those of thread.discussion, none if it is kept;
    one more for a member's own thanks, and one where what is new may stand on other pages.

    Raises Malformed for a bad cursor.
    """
    block = kept_block(post, version, sort=sort, after=after)
    talk = replace(talk, thanked=thanking.thanked_by(talk.viewer.id, [row.id for row in block.rows if row.thanks]))
    new = [row for row in block.rows if talk.is_new(row)]
    elsewhere = None
    if talk.seen.count(post.last_seq) and (after or block.more or post.last_seq > thread.PAGE):
        elsewhere = visits.first_new(post.id, talk.seen.before_seq or 0, besides=[row.id for row in new], writer=talk.viewer.id)
    talk = replace(talk, next_new=ways(new, elsewhere))
    kind, stands_for = _kind(talk)
    lines = block.lines.get(kind)
    if lines is None:
        lines = block.lines[kind] = _lines(block.rows, Talk(stands_for, post, talk.needs_verified))
    own = {row.id for row in block.rows if talk.is_particular(row)}
    if own:
        lines = {**lines, **_lines([row for row in block.rows if row.id in own], talk)}
    unread = _unread(block, talk)
    parts = [block.pieces[0]]
    for (what, comment_id), piece in zip(block.gaps, block.pieces[1:], strict=True):
        parts.append(lines[comment_id] if what == "a" else unread.get(comment_id, ""))
        parts.append(piece)
    return Drawn(Markup("".join(parts)), block.more, not block.rows, new[0].id if new else 0, elsewhere or 0)  # noqa: S704  (made of our own templates' output)


def kept_block(post: PostOf, version: tuple[int, int], *, sort: str, after: str) -> Block:
    """The page with its gaps, from the store or drawn now."""
    # Dates stand in the viewer's zone, so those who chose one share with those who chose the same.
    key = (settings().instance, settings().database_url, post.id, version, sort, after, g.get("zone"))
    block = _kept.get(key)
    if block is None:
        page = thread.discussion(post, sort=sort, after=after)
        html = str(_macro("drawn")(page.listing))
        found = GAP.split(html)
        pieces, gaps = found[::3], list(zip(found[1::3], map(int, found[2::3]), strict=True))
        rows = page.listing.rows
        for row in rows:
            row.html, row.closes = "", []
        block = Block(pieces, gaps, rows, {row.id: row for row in rows}, page.more)
        _kept.put(key, block, 2 * len(html) + 800 * len(rows))
    return block


def _kind(talk: Talk) -> tuple[str, Viewer]:
    """To which kind of viewer the ready lines are drawn, and somebody of that kind who wrote nothing."""
    viewer = talk.viewer
    if not viewer.is_member:
        return "stranger", STRANGER
    role = Role.MODERATOR if viewer.is_moderator else Role.MEMBER
    # The post's author may put comments aside: one person, whose lines are theirs alone.
    is_author = viewer.id == talk.post.author_id
    stands_for = Viewer(id=viewer.id if is_author else -1, role=role, verified=viewer.verified, is_waiting=viewer.is_waiting,
                        suspension=bool(viewer.suspension))
    return f"{role.word} {viewer.verified} {viewer.is_waiting} {bool(viewer.suspension)} {is_author}", stands_for


def _lines(rows: list[Shown], talk: Talk) -> dict[int, str]:
    actions = _macro("actions")
    return {row.id: str(actions(row, talk)) for row in rows}


def ways(new: list[Shown], beyond: int | None) -> dict[int, str]:
    """From each new comment of a page to the next in reading order; from the last to the first that stands elsewhere, else to the top."""
    if not new:
        return {}
    end = f"/comments/{beyond}" if beyond else "#talk-h"
    return dict(zip((row.id for row in new), [*(f"#comment-{row.id}" for row in new[1:]), end], strict=True))


def _unread(block: Block, talk: Talk) -> dict[int, str]:
    """How many new comments stand in each branch of this page, in words; that there are some, where the page does not show them."""
    if talk.seen.before_seq is None:
        return {}
    counts: dict[int, int] = {}
    for row in block.rows:
        if talk.is_new(row):
            at = row.parent_id
            while at is not None:
                counts[at] = counts.get(at, 0) + 1
                above = block.by_id.get(at)
                at = above.parent_id if above else None
    told = {comment_id: f', <span class="new">{count} new</span>' for comment_id, count in counts.items()}
    shown = {row.seq for row in block.rows}
    for row in block.rows:
        if row.parent_id is None and row.id not in told and row.active_seq > talk.seen.before_seq and row.active_seq not in shown:
            told[row.id] = ', <span class="new">some new</span>'
    return told


def gap(what: str, comment_id: int) -> Markup:
    """What the template leaves where a viewer's line goes ("a": what may be pressed, "u": what is new in the branch)."""
    return Markup(f"\x02{what}{comment_id}\x03")  # noqa: S704


def _macro(name: str) -> Any:
    """A macro of comments/_macros.html, to be called from here."""
    return getattr(current_app.jinja_env.get_template("comments/_macros.html").module, name)
