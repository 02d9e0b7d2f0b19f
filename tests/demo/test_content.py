"""The demo content is written by hand, so a machine checks it: the files alone, no board, no database."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

CONTENT: Final = Path(__file__).resolve().parents[2] / "blog" / "demo" / "content"
ROLES: Final = {"member", "author", "moderator", "administrator"}
DEMO_ACCOUNTS: Final = {
    "reader": "member",
    "author": "author",
    "moderator": "moderator",
    "admin": "administrator",
}
MINUTES_A_DAY: Final = 24 * 60
SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
USERNAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,29}")

Table: TypeAlias = Mapping[str, Any]


class Post:
    """One essay file, split into its front matter and its words."""

    def __init__(self, path: Path) -> None:
        opening, front, body = path.read_text(encoding="utf-8").split("+++\n", 2)
        assert opening == "", f"{path.name} does not begin with its front matter"
        self.name = path.stem
        self.front: Table = tomllib.loads(front)
        self.body = body.strip()

    @property
    def minutes_old(self) -> float:
        """Minutes between the post's publication and the filling of the board."""
        return float(self.front["days_ago"]) * MINUTES_A_DAY

    @property
    def prose(self) -> str:
        """The essay without its headings."""
        return "\n".join(line for line in self.body.splitlines() if not line.startswith("## "))


def _table(name: str, key: str) -> list[Table]:
    rows: list[Table] = tomllib.loads((CONTENT / name).read_text(encoding="utf-8"))[key]
    return rows


def _thread(path: Path) -> list[Table]:
    rows: list[Table] = tomllib.loads(path.read_text(encoding="utf-8")).get("comment", [])
    return rows


MEMBERS: Final = _table("members.toml", "member")
TOPICS: Final = _table("topics.toml", "topic")
POSTS: Final = [Post(path) for path in sorted((CONTENT / "posts").glob("*.md"))]
THREADS: Final = {path.stem: _thread(path) for path in sorted((CONTENT / "threads").glob("*.toml"))}
COMMENTS: Final = [(name, comment) for name, thread in THREADS.items() for comment in thread]
ROLE_OF: Final = {member["username"]: member["role"] for member in MEMBERS}
JOINED: Final = {member["username"]: member["joined_days"] * MINUTES_A_DAY for member in MEMBERS}
POST_OF: Final = {post.name: post for post in POSTS}
NEWEST: Final = min(POSTS, key=lambda post: post.minutes_old)

each_post = pytest.mark.parametrize("post", POSTS, ids=lambda post: post.name)
each_thread = pytest.mark.parametrize("name", THREADS)


def _folded(username: str) -> str:
    """The username as the eye may misread it."""
    folded = username.casefold().replace("rn", "m")
    return folded.translate(str.maketrans("01i-", "oll_"))


def _depths(thread: list[Table]) -> dict[str, int]:
    """The depth of each comment by key; a root has depth 1. Fails where a parent is missing or later."""
    depths: dict[str, int] = {}
    for comment in thread:
        key, parent = comment["key"], comment.get("parent")
        assert key not in depths, f"key {key} is used twice"
        assert parent is None or parent in depths, f"{key} answers {parent}, which is not an earlier comment"
        depths[key] = 1 if parent is None else depths[parent] + 1
    return depths


def _answered(thread: list[Table]) -> set[str]:
    return {comment["parent"] for comment in thread if "parent" in comment}


def test_members_are_complete_and_can_be_told_apart() -> None:
    assert len(MEMBERS) >= 24
    for member in MEMBERS:
        assert set(member) == {"username", "display_name", "role", "about", "joined_days"}
        assert USERNAME.fullmatch(member["username"]), member["username"]
        assert member["role"] in ROLES
        assert 20 <= member["joined_days"] <= 700
        assert 0 < len(member["display_name"]) <= 60
        assert 0 < len(member["about"]) <= 300
    for told_apart in (
        [_folded(member["username"]) for member in MEMBERS],
        [member["display_name"].casefold() for member in MEMBERS],
        [member["about"] for member in MEMBERS],
    ):
        assert len(set(told_apart)) == len(told_apart)


def test_the_demo_accounts_have_their_roles() -> None:
    assert {name: ROLE_OF[name] for name in DEMO_ACCOUNTS} == DEMO_ACCOUNTS
    roles = Counter(ROLE_OF.values())
    assert roles["moderator"] == 2
    assert roles["administrator"] == 1


def test_topics_have_slugs_and_each_has_a_post() -> None:
    slugs = [topic["slug"] for topic in TOPICS]
    assert len(slugs) == len(set(slugs)) == 6
    for topic in TOPICS:
        assert set(topic) == {"slug", "name", "about"}
        assert SLUG.fullmatch(topic["slug"])
        assert topic["name"] and topic["about"]
    assert {slug for post in POSTS for slug in post.front["topics"]} == set(slugs)


def test_posts_and_threads_come_in_pairs() -> None:
    assert len(POSTS) >= 13
    assert [post.name for post in POSTS] == list(THREADS)
    for post in POSTS:
        number, _, slug = post.name.partition("-")
        assert number.isdigit() and SLUG.fullmatch(slug), post.name
    titles = [post.front["title"] for post in POSTS]
    assert len(set(titles)) == len(titles)


def test_posts_are_spread_over_a_season_and_numbered_by_age() -> None:
    ages = [post.front["days_ago"] for post in POSTS]
    assert ages == sorted(ages, reverse=True)
    assert len(set(ages)) == len(ages)
    assert 0.2 <= ages[-1] <= 0.5
    assert 80 <= ages[0] <= 100


def test_several_authors_wrote_and_the_demo_author_wrote_the_newest() -> None:
    written = Counter(post.front["author"] for post in POSTS)
    assert len(written) >= 6
    assert written["author"] >= 3
    assert NEWEST.front["author"] == "author"


@each_post
def test_a_post_is_a_short_essay_in_headed_sections(post: Post) -> None:
    assert set(post.front) == {"title", "author", "topics", "days_ago"}
    assert 0 < len(post.front["title"]) <= 300
    assert ROLE_OF[post.front["author"]] != "member"
    assert JOINED[post.front["author"]] > post.minutes_old
    topics = post.front["topics"]
    assert 1 <= len(topics) == len(set(topics)) <= 3
    assert set(topics) <= {topic["slug"] for topic in TOPICS}

    opening, *sections = re.split(r"^## .+$", post.body, flags=re.MULTILINE)
    assert len(opening.split()) >= 30
    assert 3 <= len(sections) <= 5
    assert all(section.strip() for section in sections)
    headings = re.findall(r"^## (.+)$", post.body, flags=re.MULTILINE)
    assert len(set(headings)) == len(headings)
    assert 350 <= len(post.prose.split()) <= 800


def test_the_posts_show_what_markdown_can_do() -> None:
    words = "\n".join(post.body for post in POSTS)
    assert re.search(r"^\|[-:| ]+\|$", words, re.MULTILINE), "no table"
    assert re.search(r"^[*-] ", words, re.MULTILINE), "no list"
    assert re.search(r"^\d\. ", words, re.MULTILINE), "no numbered list"
    assert re.search(r"^> ", words, re.MULTILINE), "no quotation"
    assert re.search(r"\*[^*\s][^*]*\*", words), "no emphasis"


@each_thread
def test_a_thread_is_in_order_and_in_the_past(name: str) -> None:
    thread, post = THREADS[name], POST_OF[name]
    _depths(thread)
    minutes = [comment["minutes"] for comment in thread]
    assert all(earlier < later for earlier, later in pairwise(minutes))
    assert all(0 < minute < post.minutes_old for minute in minutes)


@each_thread
def test_everybody_in_a_thread_is_a_member_and_had_joined(name: str) -> None:
    for comment in THREADS[name]:
        age = POST_OF[name].minutes_old - comment["minutes"]
        assert JOINED[comment["by"]] > age, f"{comment['by']} wrote {comment['key']} before joining"
        thanks = comment.get("thanks", [])
        assert set(thanks) <= set(ROLE_OF), comment["key"]
        assert len(set(thanks)) == len(thanks), comment["key"]
        assert comment["by"] not in thanks, f"{comment['key']} is thanked by its own writer"


@each_thread
def test_a_comment_has_only_the_fields_that_the_filling_knows(name: str) -> None:
    known = {"key", "parent", "by", "minutes", "body", "edited", "deleted", "hidden", "thanks", "reported"}
    for comment in THREADS[name]:
        assert {"key", "by", "minutes", "body"} <= set(comment) <= known, comment["key"]
        assert comment.get("deleted", True) is True
        for words in (comment["body"], comment.get("edited", comment["body"])):
            assert words == words.strip() != ""
            assert len(words) <= 2000
        assert comment.get("edited") != comment["body"]


def test_reports_are_of_others_words_that_stay_and_the_reader_has_made_one() -> None:
    reported = [(name, comment) for name, comment in COMMENTS if "reported" in comment]
    assert len(reported) == 2
    for name, comment in reported:
        by = [report["by"] for report in comment["reported"]]
        assert len(set(by)) == len(by)
        assert set(by) <= set(ROLE_OF) - {comment["by"]}
        assert not {"deleted", "hidden"} & set(comment), comment["key"]
        assert POST_OF[name].minutes_old > comment["minutes"] + 60
    assert any(report["by"] == "reader" for _, comment in reported for report in comment["reported"])


def test_no_two_comments_say_the_same() -> None:
    said = Counter(comment["body"].casefold() for _, comment in COMMENTS)
    assert [words for words, times in said.items() if times > 1] == []


def test_there_are_enough_comments_spread_unevenly() -> None:
    sizes = {name: len(thread) for name, thread in THREADS.items()}
    long = [name for name, size in sizes.items() if size > 25]
    assert sum(sizes.values()) >= 230
    assert len(long) == 1
    assert 115 <= sizes[long[0]] <= 130
    assert 5 <= POST_OF[long[0]].front["days_ago"] <= 20
    assert 8 <= sizes[NEWEST.name] <= 15
    assert sorted(sizes.values())[:2] == [0, 3]


def test_the_long_thread_goes_deep_between_few_people() -> None:
    thread = max(THREADS.values(), key=len)
    depths = _depths(thread)
    by_key = {comment["key"]: comment for comment in thread}
    key: str | None = max(depths, key=lambda candidate: depths[candidate])
    assert key is not None and depths[key] >= 13
    people = set()
    while key is not None:
        people.add(by_key[key]["by"])
        key = by_key[key].get("parent")
    assert 2 <= len(people) <= 4


def test_people_answer_each_other() -> None:
    second_thoughts = 0
    for thread in THREADS.values():
        writer = {comment["key"]: comment["by"] for comment in thread}
        second_thoughts += sum(writer.get(comment.get("parent", "")) == comment["by"] for comment in thread)
    assert second_thoughts <= 3, "too many members answer themselves"
    lively = [name for name, thread in THREADS.items() if len(thread) > 3]
    answered = [name for name in lively if POST_OF[name].front["author"] in {c["by"] for c in THREADS[name]}]
    assert len(answered) >= 0.8 * len(lively)
    assert sum(comment["by"] == "reader" for _, comment in COMMENTS) >= 5
    assert len({comment["by"] for _, comment in COMMENTS}) >= 20


def test_comments_are_of_all_lengths() -> None:
    lengths = [len(comment["body"].split()) for _, comment in COMMENTS]
    assert min(lengths) <= 4
    assert max(lengths) >= 120
    assert any(comment["body"].count("\n\n") >= 2 for _, comment in COMMENTS)


def test_edited_deleted_and_hidden_comments() -> None:
    assert 3 <= sum("edited" in comment for _, comment in COMMENTS) <= 4

    deleted = [(name, comment) for name, comment in COMMENTS if comment.get("deleted")]
    assert len(deleted) == 2
    for name, comment in deleted:
        assert comment["key"] in _answered(THREADS[name])

    [(name, hidden)] = [(name, comment) for name, comment in COMMENTS if "hidden" in comment]
    assert len(THREADS[name]) >= 100
    assert hidden["key"] in _answered(THREADS[name])
    act = hidden["hidden"]
    assert set(act) == {"rule", "by", "reason", "appeal"}
    assert act["rule"] in range(1, 6)
    assert ROLE_OF[act["by"]] in {"moderator", "administrator"}
    assert 10 <= len(act["reason"]) <= 500
    assert hidden["by"] != act["by"]
    appeal = act["appeal"]
    assert set(appeal) == {"after", "statement", "answered", "by", "outcome", "reason"}
    assert 0 < appeal["after"] < appeal["answered"]
    assert ROLE_OF[appeal["by"]] in {"moderator", "administrator"}
    assert appeal["by"] not in {act["by"], hidden["by"]}
    assert 10 <= len(appeal["reason"]) <= 500


def test_links_lead_to_example_addresses_only() -> None:
    words = [post.body for post in POSTS] + [comment["body"] for _, comment in COMMENTS]
    hosts = [host for text in words for host in re.findall(r"https?://([^/\s)>\"]+)", text)]
    assert hosts
    assert set(hosts) == {"example.org"}


def test_the_type_is_set_with_care() -> None:
    texts = {post.name: post.body for post in POSTS}
    texts |= {f"{name}:{comment['key']}": comment["body"] for name, comment in COMMENTS}
    texts |= {member["username"]: member["about"] for member in MEMBERS}
    for where, text in texts.items():
        assert not re.search(r"\w'\w", text), f"a straight apostrophe in {where}"
        assert not re.search(r"[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", text), where
