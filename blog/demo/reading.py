"""The demo content as it lies in `content/`: members, topics, essays and their discussions, read into values. Writes nothing."""

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from blog.accounts.models import Role

CONTENT = Path(__file__).parent / "content"


@dataclass(frozen=True, slots=True)
class DemoMember:
    """Who writes here. `joined` is how long before the filling."""

    username: str
    display_name: str
    role: Role
    about: str
    joined: timedelta


@dataclass(frozen=True, slots=True)
class DemoTopic:
    slug: str
    name: str
    about: str


@dataclass(frozen=True, slots=True)
class DemoAppeal:
    """What the writer answers to a hiding, and what another moderator decides; `after` and `answered` are the times from the hiding to them."""

    after: timedelta
    statement: str
    answered: timedelta
    by: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class DemoHiding:
    """Which rule (by number), which moderator, why."""

    rule: int
    by: str
    reason: str
    appeal: DemoAppeal | None = None


@dataclass(frozen=True, slots=True)
class DemoReport:
    """Who reports a comment, under which rule (by number), and what they tell moderators."""

    by: str
    rule: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class DemoComment:
    """One comment. `key` and `parent` hold within its thread; `after` is the time from the post to it."""

    key: str
    parent: str | None
    by: str
    after: timedelta
    body: str
    earlier: str | None  # the wording before its writer changed it
    is_deleted: bool
    hiding: DemoHiding | None
    thanks: tuple[str, ...]
    reports: tuple[DemoReport, ...]


@dataclass(frozen=True, slots=True)
class DemoPost:
    """One essay with its thread, oldest comment first. `age` is how long before the filling it was published."""

    title: str
    author: str
    topics: tuple[str, ...]  # slugs
    age: timedelta
    source: str
    thread: tuple[DemoComment, ...]


@dataclass(frozen=True, slots=True)
class DemoContent:
    members: tuple[DemoMember, ...]
    topics: tuple[DemoTopic, ...]
    posts: tuple[DemoPost, ...]


def content() -> DemoContent:
    """All of it: members and topics in the order of their files, posts oldest first."""
    members = tuple(
        DemoMember(row["username"], row["display_name"], Role[row["role"].upper()], row["about"], timedelta(days=row["joined_days"]))
        for row in _table(CONTENT / "members.toml")["member"]
    )
    topics = tuple(DemoTopic(row["slug"], row["name"], row["about"]) for row in _table(CONTENT / "topics.toml")["topic"])
    return DemoContent(members, topics, tuple(_post(path) for path in sorted((CONTENT / "posts").glob("*.md"))))


def _post(path: Path) -> DemoPost:
    _, front, body = path.read_text(encoding="utf-8").split("+++\n", 2)
    facts = tomllib.loads(front)
    rows = _table(CONTENT / "threads" / f"{path.stem}.toml").get("comment", [])
    return DemoPost(facts["title"], facts["author"], tuple(facts["topics"]), timedelta(days=facts["days_ago"]), body.strip(),
                    tuple(_comment(row) for row in rows))


def _comment(row: dict[str, Any]) -> DemoComment:
    hiding = _hiding(row["hidden"]) if "hidden" in row else None
    return DemoComment(row["key"], row.get("parent"), row["by"], timedelta(minutes=row["minutes"]), row["body"].strip(), row.get("edited"),
                       row.get("deleted", False), hiding, tuple(row.get("thanks", ())), tuple(DemoReport(**report) for report in row.get("reported", ())))


def _hiding(row: dict[str, Any]) -> DemoHiding:
    appeal = row.get("appeal")
    if appeal is not None:
        times = {name: timedelta(minutes=appeal[name]) for name in ("after", "answered")}
        row = {**row, "appeal": DemoAppeal(**{**appeal, **times})}
    return DemoHiding(**row)


def _table(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
