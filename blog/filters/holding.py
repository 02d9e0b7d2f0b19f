"""What holds a text before it is shown, and the deeds of its writer while it waits.

A filter holds: it never hides and never refuses for good. Each hold is an act of the board itself, in the transaction that keeps the text.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from blog.acts import recording
from blog.acts.models import Act, ActKind, Rule, TargetKind
from blog.clock import now
from blog.config import settings
from blog.db import db
from blog.errors import Conflict, NotFound
from blog.filters.models import Filter, FilterKind, HeldKind, HeldState, HeldText
from blog.filters.newcomers import Standing
from blog.permissions import RESTORE_DAYS, may_change_held, may_read_held, may_take_back_held
from blog.text.excerpts import plain
from blog.viewer import Viewer

SENT_ELSEWHERE = "This form was already sent elsewhere a moment ago. Copy the text and open a fresh form."

_HREF = re.compile(r'<a [^>]*?href="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Signs:
    """What a form tells besides its words: whether the field that people can't see was filled in, and how long it was open, if it says so."""

    trapped: bool = False
    seconds: float | None = None


NO_SIGNS = Signs()


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a text waits: which filter, under which rule, and the sentence that its writer and everyone reads."""

    filter_name: str
    rule_id: int
    sentence: str


def cause(by: Viewer, html: str, standing: Standing, *, names: Sequence[str] = (), signs: Signs = NO_SIGNS, before: str = "",
          before_names: Sequence[str] = ()) -> Cause | None:
    """The first filter that holds this text, None for none. `names`: title and topics, which have no HTML. `before` and `before_names`: what
    stands there already, when it is changed; what they hold, holds nothing anew. One statement, one more when something holds.

    Moderators are held by nothing: they would let it out themselves.
    """
    if by.is_moderator:
        return None
    lines = _lists()
    standing_already = {found.id for found in _matching(lines, before, before_names)} if before or before_names else set()
    for line in _matching(lines, html, names):
        if line.id not in standing_already:
            return Cause(f"{'Word' if line.kind == FilterKind.WORD else 'Domain'} list, line {line.id}", line.rule_id, line.sentence)
    name, sentence = _by_the_board(html, standing, signs, before)
    return Cause(name, rule_of_the_board(), sentence) if name else None


def _by_the_board(html: str, standing: Standing, signs: Signs, before: str) -> tuple[str, str]:
    """Name and sentence of the board's own filter that holds this, "" for none."""
    chosen = settings()
    if standing.is_newcomer:
        if signs.trapped:
            return "Hidden field", "A field that people can’t see was filled in. A moderator looks whether a person wrote this."
        if signs.seconds is not None and signs.seconds < chosen.typing_seconds:
            return "Time to type", "This was sent sooner than most people can type. A moderator looks whether a person wrote it."
        links = len(list(foreign_links(html)))
        if links > max(chosen.newcomer_links, len(list(foreign_links(before)))):
            found = "a link" if links == 1 else f"{links} links"
            most = f"more than {chosen.newcomer_links}" if chosen.newcomer_links else "any"
            return "Links", f"This holds {found} to elsewhere. A newcomer’s text with {most} waits for a moderator."
    if not before and standing.texts < chosen.first_texts_wait:
        return "First texts", "First comments and posts wait for a moderator on this board."
    return "", ""


def foreign_links(html: str) -> Iterator[str]:
    """The hosts that stored HTML links to, in order, this board's own left out."""
    own = urlsplit(settings().public_url).hostname
    for address in _HREF.findall(html):
        try:
            host = urlsplit(address.replace("&amp;", "&")).hostname
        except ValueError:
            continue
        if host and host != own:
            yield host


def _lists() -> Sequence[Any]:
    """The lines of the word and domain lists in force. One statement."""
    asked = select(Filter.id, Filter.kind, Filter.pattern, Filter.sentence, Filter.rule_id)
    return db.session.execute(
        asked.where(Filter.retired_at.is_(None), Filter.kind.in_([FilterKind.WORD.value, FilterKind.DOMAIN.value])).order_by(Filter.id)
    ).all()


def _matching(lines: Sequence[Any], html: str, names: Sequence[str]) -> Iterator[Any]:
    """The lines that a text matches: a word or phrase in what readers see, a host in what is linked or named."""
    if not lines:
        return
    seen = folded(" \n ".join([*names, plain(html)]))
    hosts = " ".join(host_key(host) for host in foreign_links(html))
    for line in lines:
        where = f"{seen} \n {hosts}" if line.kind == FilterKind.DOMAIN else seen
        if _pattern(line.kind, line.pattern).search(where):
            yield line


@lru_cache(maxsize=4096)
def _pattern(kind: str, pattern: str) -> re.Pattern[str]:
    """Whole words, white space of any length; of a host, the same and every one below it. Nothing in a pattern is code."""
    if kind == FilterKind.DOMAIN:
        return re.compile(rf"(?<![\w.-])(?:[\w-]+\.)*{re.escape(host_key(pattern))}(?![\w-]|\.[\w-])")
    words = r"\s+".join(re.escape(word) for word in folded(pattern).split())
    return re.compile(rf"(?<!\w){words}(?!\w)")


def folded(text: str) -> str:
    """The text without case, and with what only looks different made alike: full-width letters, joined letters, characters of no width."""
    shown = "".join(character for character in unicodedata.normalize("NFKC", text) if unicodedata.category(character) != "Cf")
    return shown.casefold()


def host_key(host: str) -> str:
    """A host as it is compared: lower case, in letters, without the dot at the end."""
    host = host.strip().lower().rstrip(".")
    try:
        return host.encode("ascii").decode("idna")
    except (UnicodeError, ValueError):
        return host


def rule_of_the_board() -> int:
    """The rule that the board's own filters name: the setting's, else the last that holds. One statement."""
    wanted = settings().holding_rule
    rules = db.session.execute(select(Rule.id, Rule.number).where(Rule.retired_at.is_(None)).order_by(Rule.number)).all()
    return int(next((rule.id for rule in rules if rule.number == wanted), rules[-1].id))


# -- holding


def hold(by: Viewer, found: Cause, kind: HeldKind, *, post_id: int, source: str, html: str, parent_id: int | None = None,
         parent_version: int | None = None, comment_id: int | None = None, title: str | None = None, topics: list[str] | None = None,
         submission_id: str | None = None) -> int:
    """Keep a text until a moderator has read it; gives the id of what waits. A change of something of which a change waits already takes
    that one's place, without another act.

    Raises Conflict where the same form was sent elsewhere at this moment.
    """
    held = _changing(by, kind, post_id, comment_id) if kind is not HeldKind.COMMENT else None
    if held is not None:
        held.source, held.html, held.title, held.topics = source, html, title, topics
        held.version += 1
        db.session.flush()
        return held.id
    held = HeldText(kind=kind.value, post_id=post_id, parent_id=parent_id, parent_version=parent_version, author_id=by.id, source=source, html=html,
                    title=title, topics=topics, submission_id=submission_id, comment_id=comment_id, created_at=now())
    db.session.add(held)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Conflict(SENT_ELSEWHERE, mine=source) from error
    what = {HeldKind.COMMENT: "this comment", HeldKind.EDIT: "this change of a comment", HeldKind.POST_EDIT: "this change of a post"}[kind]
    act = recording.record(ActKind.HOLD, None, person_id=by.id, target=(TargetKind.HELD, held.id), rule_id=found.rule_id, reason=found.sentence,
                           scope=f"{what}, until a moderator has read it", filter_name=found.filter_name)
    held.held_by = act.id
    db.session.flush()
    return held.id


def hold_post(by: Viewer, found: Cause, post_id: int) -> Act:
    """The act of a post that waits; its state is the caller's."""
    return recording.record(ActKind.HOLD, None, person_id=by.id, target=(TargetKind.POST, post_id), rule_id=found.rule_id, reason=found.sentence,
                            scope="this post, until a moderator has read it", filter_name=found.filter_name)


def _changing(by: Viewer, kind: HeldKind, post_id: int, comment_id: int | None) -> HeldText | None:
    """The change by this writer that waits already."""
    mine = select(HeldText).where(HeldText.author_id == by.id, HeldText.post_id == post_id, HeldText.kind == kind.value,
                                  HeldText.state == HeldState.WAITING.value)
    mine = mine.where(HeldText.comment_id.is_(None) if comment_id is None else HeldText.comment_id == comment_id)
    return db.session.execute(mine.limit(1)).scalar_one_or_none()


def overtaken(by: Viewer, kind: HeldKind, *, post_id: int, comment_id: int | None = None) -> None:
    """A later change went through, so the one that waits is its writer's no longer. One statement."""
    of = (HeldText.author_id == by.id, HeldText.post_id == post_id, HeldText.kind == kind.value, HeldText.state == HeldState.WAITING.value)
    which = HeldText.comment_id.is_(None) if comment_id is None else HeldText.comment_id == comment_id
    db.session.execute(update(HeldText).where(*of, which).values(state=HeldState.TAKEN_BACK.value), execution_options={"synchronize_session": False})


@dataclass(frozen=True, slots=True)
class Before:
    """What a form that comes again made before."""

    held_id: int
    comment_id: int  # 0 while it waits
    is_same: bool  # the same words at the same place


def sent_before(by: Viewer, submission_id: str, *, post_id: int, parent_id: int | None, source: str) -> Before | None:
    """The text that this form brought and that was held. One statement."""
    row = db.session.execute(
        select(HeldText.id, HeldText.post_id, HeldText.parent_id, HeldText.source, HeldText.comment_id)
        .where(HeldText.author_id == by.id, HeldText.submission_id == submission_id)
    ).one_or_none()
    if row is None:
        return None
    return Before(row.id, row.comment_id or 0, (row.post_id, row.parent_id, row.source) == (post_id, parent_id, source))


# -- its writer, while it waits


def change(held_id: int, by: Viewer, *, source: str, html: str, version: int | None, title: str | None = None) -> None:
    """Other words for a text that waits; it goes on waiting. Raises NotFound, NotAllowed, Conflict with both texts."""
    held = locked(held_id, by)
    may_change_held(by, held.author_id, held.state == HeldState.WAITING).require()
    if version is not None and version != held.version and held.source != source:
        raise Conflict("You changed this text elsewhere in the meantime. Both texts are below; nothing was saved.", mine=source, theirs=held.source,
                       version=held.version)
    new_title = title if held.kind == HeldKind.POST_EDIT and title else held.title
    if (held.source, held.title) == (source, new_title):
        return
    held.source, held.html, held.title = source, html, new_title
    held.version += 1
    db.session.flush()


def take_back(held_id: int, by: Viewer) -> HeldText:
    """The writer takes a text back before anybody decided. Twice is once. Raises NotFound, NotAllowed, Conflict (it was decided)."""
    held = locked(held_id, by)
    may_take_back_held(by, held.author_id).require()
    if held.state in (HeldState.APPROVED, HeldState.REJECTED):
        raise Conflict(f"A moderator has decided already: your text was {held.state}.")
    held.state = HeldState.TAKEN_BACK.value
    db.session.flush()
    return held


def empty_decided() -> int:
    """Empty the copies of what was decided or taken back long ago; says how many. What was approved stands at its own place. One statement."""
    old = (HeldText.state != HeldState.WAITING.value, HeldText.created_at < now() - timedelta(days=RESTORE_DAYS), HeldText.source != "")
    emptied = update(HeldText).where(*old).values(source="", html="", title=None)
    return int(db.session.execute(emptied, execution_options={"synchronize_session": False}).rowcount)  # type: ignore[attr-defined]


def locked(held_id: int, by: Viewer) -> HeldText:
    """The row, locked until the transaction ends. Raises NotFound for whoever must not know of it."""
    held = db.session.execute(select(HeldText).where(HeldText.id == held_id).with_for_update()).scalar_one_or_none()
    if held is None or not may_read_held(by, held.author_id):
        raise NotFound()
    return held
