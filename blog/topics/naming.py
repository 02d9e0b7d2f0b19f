"""Topics by name: what an author typed becomes rows. Whoever may publish may name a topic that is new to the board."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from blog.clock import now
from blog.db import db
from blog.errors import Invalid
from blog.forms import clean_line
from blog.text.sanitising import storable
from blog.text.slugs import hyphenated
from blog.topics.models import Topic

# More would make a topic's page a list of everything.
MOST = 3
SHORTEST_NAME = 2
LONGEST_NAME = 40
# What all names together may take as they are typed; more is not looked at.
LONGEST_TYPED = 1_000


def split(typed: Iterable[str]) -> list[str]:
    """The names in one or several comma-separated fields: trimmed, in order, each topic once.

    Raises Invalid for more than MOST, or a name outside 2 to 40 characters or without a letter or digit.
    """
    fields = list(typed)
    if sum(map(len, fields)) > LONGEST_TYPED:
        raise Invalid(f"A post may have {MOST} topics of at most {LONGEST_NAME} characters each; this is far more. Leave some out.", "topics")
    names: dict[str, str] = {}
    for name in (clean_line(storable(part)) for field in fields for part in field.split(",")):
        if not name:
            continue
        slug = hyphenated(name, LONGEST_NAME)
        if not SHORTEST_NAME <= len(name) <= LONGEST_NAME or not slug:
            raise Invalid(f"A topic’s name has {SHORTEST_NAME} to {LONGEST_NAME} characters, a letter or digit among them; “{name[:60]}” does not.", "topics")
        names.setdefault(slug, name)
    if len(names) > MOST:
        raise Invalid(f"A post may have {MOST} topics; this has {len(names)}. Leave some out.", "topics")
    return list(names.values())


def settle(names: Sequence[str]) -> list[int]:
    """Ids of the topics with these names, in order; those that the board doesn't know yet are made.

    Case and punctuation make no difference: “money and time” is the topic that somebody called “Money and time”. Permission is the
    caller's: the deeds of a post ask `may_publish` or `may_edit_post` first, and nobody names topics but through a post.
    """
    wanted = {hyphenated(name, LONGEST_NAME): name for name in split(names)}
    found = _ids(wanted)
    for slug, name in wanted.items():
        if slug not in found:
            found[slug] = _made(slug, name)
    return [found[slug] for slug in wanted]


def _ids(slugs: Iterable[str]) -> dict[str, int]:
    rows = db.session.execute(select(Topic.slug, Topic.id).where(Topic.slug.in_(list(slugs))))
    return {row.slug: row.id for row in rows}


def _made(slug: str, name: str) -> int:
    """A new topic; or the one that somebody else made in the same moment."""
    topic = Topic(slug=slug, name=name, about="", created_at=now())
    try:
        with db.session.begin_nested():
            db.session.add(topic)
    except IntegrityError:
        return _ids([slug])[slug]
    return topic.id
