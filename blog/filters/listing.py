"""The board's lists: words, domains, domains of mail addresses. A line is added or retired, never changed, so that acts keep what they name."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from blog.accounts.models import Member
from blog.acts import recording
from blog.acts.models import Rule
from blog.clock import now
from blog.db import db
from blog.errors import Conflict, Invalid, NotFound
from blog.filters.holding import folded, host_key
from blog.filters.models import Filter, FilterKind
from blog.paging import cursor, read_cursor
from blog.permissions import may_moderate
from blog.viewer import Viewer

LONGEST_PATTERN = 120
SHORTEST_SENTENCE = recording.SHORTEST_REASON  # it becomes the reason of an act
LONGEST_SENTENCE = 300

# Lines in force stand on one page; more are a program's work, not a person's.
MOST = 500

PAGE = 50

_HOST = re.compile(r"(?=.{3,120}$)[\w-]+(\.[\w-]+)+")

KINDS = {
    FilterKind.WORD: "Word or phrase",
    FilterKind.DOMAIN: "Domain of links",
    FilterKind.EMAIL_DOMAIN: "Domain of mail addresses",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the lists, with who made it and, once it is retired, who took it out."""

    id: int
    kind: str
    pattern: str
    sentence: str
    created_at: datetime
    retired_at: datetime | None
    rule_number: int
    rule_title: str
    made_by: str
    retired_by: str | None


_RETIRING = aliased(Member)
_LINES: Any = (
    select(Filter.id, Filter.kind, Filter.pattern, Filter.sentence, Filter.created_at, Filter.retired_at, Rule.number, Rule.title, Member.display_name,
           _RETIRING.display_name.label("retired_by"))
    .join(Rule, Rule.id == Filter.rule_id)
    .join(Member, Member.id == Filter.made_by)
    .outerjoin(_RETIRING, _RETIRING.id == Filter.retired_by)
)


def in_force() -> list[Line]:
    """The lines that hold, by kind and pattern; MOST at most. One statement."""
    return [Line(*row) for row in db.session.execute(_LINES.where(Filter.retired_at.is_(None)).order_by(Filter.kind.desc(), Filter.pattern).limit(MOST))]


def retired(after: str | None = None) -> tuple[list[Line], str]:
    """Lines that were taken out, the newest made first, and the cursor of the next page. One statement. Raises Malformed."""
    parts = read_cursor(after)
    asked = _LINES.where(Filter.retired_at.is_not(None))
    if parts is not None:
        asked = asked.where(Filter.id < parts[0])
    rows = [Line(*row) for row in db.session.execute(asked.order_by(Filter.id.desc()).limit(PAGE + 1))]
    return rows[:PAGE], cursor(rows[PAGE - 1].id) if len(rows) > PAGE else ""


def add(by: Viewer, *, kind: FilterKind, pattern: str, sentence: str, rule_id: int) -> int:
    """A new line; gives its id. Raises NotAllowed, Invalid (the field is named), Conflict (it stands there already)."""
    may_moderate(by).require()
    rule = recording.rule_in_force(rule_id)
    pattern = _word(pattern) if kind is FilterKind.WORD else _domain(pattern)
    sentence = " ".join(sentence.split())
    if not SHORTEST_SENTENCE <= len(sentence) <= LONGEST_SENTENCE:
        raise Invalid(f"The sentence for the writer has {SHORTEST_SENTENCE} to {LONGEST_SENTENCE} characters; this has {len(sentence)}.", "told")
    standing = select(Filter.id).where(Filter.kind == kind.value, Filter.pattern == pattern, Filter.retired_at.is_(None))
    if db.session.execute(standing.limit(1)).first() is not None:
        raise Conflict("This line stands on the list already. Take it out first to give it another sentence.")
    line = Filter(kind=kind.value, pattern=pattern, sentence=sentence, rule_id=rule.id, made_by=by.id, created_at=now())
    db.session.add(line)
    db.session.flush()
    return line.id


def retire(line_id: int, by: Viewer) -> None:
    """Take a line out; it holds nothing from now on, and what waits goes on waiting. Twice is once. Raises NotAllowed, NotFound."""
    may_moderate(by).require()
    line = db.session.get(Filter, line_id, with_for_update=True)
    if line is None:
        raise NotFound("There is no such line.")
    if line.retired_at is None:
        line.retired_at, line.retired_by = now(), by.id
        db.session.flush()


def _word(pattern: str) -> str:
    line = " ".join(folded(pattern).split())
    if not 2 <= len(line) <= LONGEST_PATTERN or not any(character.isalnum() for character in line):
        raise Invalid(f"A word or phrase has 2 to {LONGEST_PATTERN} characters, a letter or digit among them.", "pattern")
    return line


def _domain(pattern: str) -> str:
    host = host_key(re.sub(r"^\s*(https?://|@)", "", pattern.strip().lower()).partition("/")[0])
    if not _HOST.fullmatch(host):
        raise Invalid("A domain looks like example.org; those below it are meant too.", "pattern")
    return host


def refused_address(address_key: str) -> str:
    """The sentence for an address on the list of mail domains, "" for any other. One statement, whatever the address."""
    host = host_key(address_key.rpartition("@")[2])
    labels = host.split(".")
    above = [".".join(labels[at:]) for at in range(len(labels))]
    found = select(Filter.sentence).where(Filter.kind == FilterKind.EMAIL_DOMAIN.value, Filter.retired_at.is_(None), Filter.pattern.in_(above)).limit(1)
    return str(db.session.execute(found).scalar_one_or_none() or "")
