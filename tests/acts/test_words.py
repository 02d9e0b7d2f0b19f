"""Acts in words: every kind on every target that it can have, in whole sentences, without a name."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from blog.acts import words
from blog.acts.models import ActKind, TargetKind

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Act:
    kind: str = ActKind.HIDE
    target_kind: str = TargetKind.COMMENT
    actor_handle: str = "M1"
    number: int = 7
    until: datetime | None = None


P, C, M, H, K, A = TargetKind.POST, TargetKind.COMMENT, TargetKind.MEMBER, TargetKind.HELD, TargetKind.CASE, TargetKind.ACT
# What each kind of act can be about.
ABOUT: dict[ActKind, tuple[TargetKind, ...]] = {
    ActKind.HIDE: (P, C), ActKind.UNHIDE: (P, C), ActKind.LOCK: (P,), ActKind.UNLOCK: (P,), ActKind.CLOSE: (P,), ActKind.REOPEN: (P, K), ActKind.SLOW: (P,),
    ActKind.UNSLOW: (P,), ActKind.WARN: (M, C, P), ActKind.SUSPEND: (M,), ActKind.LIFT: (M,), ActKind.HOLD: (H, P, C, M), ActKind.APPROVE: (H, P, M),
    ActKind.REJECT: (H, P, M), ActKind.REDACT: (P, C, A), ActKind.ASIDE: (C,), ActKind.BACK: (C,), ActKind.DISMISS: (K, P, C, M),
    ActKind.BAD_FAITH: (K, P, C, M), ActKind.UPHOLD: (P, C, M, A), ActKind.SOFTEN: (P, C, M, A), ActKind.OVERTURN: (P, C, M, A),
}
EVERY = [(kind, target) for kind, targets in ABOUT.items() for target in targets]


def test_every_kind_has_words() -> None:
    assert set(ABOUT) == set(ActKind)


@pytest.mark.parametrize(("kind", "target"), EVERY)
def test_an_act_reads_as_a_sentence_for_everybody_and_for_the_person(kind: ActKind, target: TargetKind) -> None:
    act = Act(kind, target)
    said = [words.active(act), words.active(act, about=3), words.passive(act, True), words.passive(act, False), words.passive(act, True, about=3)]
    for sentence in said:
        assert sentence[0].isupper()
        assert sentence == " ".join(sentence.split())
        assert not sentence.endswith(".")
        assert "{" not in sentence
    assert said[0].startswith("M1 ")
    assert words.target_words(act)


@pytest.mark.parametrize(("act", "about", "active", "own", "other"), [
    (Act(), 0, "M1 hid a comment", "Your comment was hidden", "A comment was hidden"),
    (Act(ActKind.LOCK, P), 0, "M1 locked a discussion", "The discussion of your post was locked", "A discussion was locked"),
    (Act(ActKind.SUSPEND, M), 0, "M1 suspended a member", "Your account was suspended", "A member was suspended"),
    (Act(ActKind.WARN, C), 0, "M1 warned a member about a comment", "You were warned about your comment", "A member was warned about a comment"),
    (Act(ActKind.ASIDE, C, words.AUTHOR), 0, "The post’s author put a comment aside", "Your comment was put aside", "A comment was put aside"),
    (Act(ActKind.HOLD, H, words.BOARD), 0, "The board held a comment for approval", "Your comment waits for approval", "A comment waits for approval"),
    (Act(ActKind.DISMISS, C), 0, "M1 dismissed the reports on a comment", "The reports on a comment were dismissed", "The reports on a comment were dismissed"),
    (Act(ActKind.OVERTURN, C), 5, "M1 overturned act 5", "Your appeal was granted: act 5 was overturned", "Act 5 was overturned on appeal"),
    (Act(ActKind.REDACT, A), 5, "M1 took the reason out of act 5", "The reason of act 5 was taken out", "The reason of act 5 was taken out"),
])
def test_words(act: Act, about: int, active: str, own: str, other: str) -> None:
    assert words.active(act, about=about) == active
    assert words.passive(act, True, about=about) == own
    assert words.passive(act, False, about=about) == other


def test_a_board_that_shows_names_says_them_instead_of_the_handle() -> None:
    assert words.active(Act(), who="Mo") == "Mo hid a comment"


@pytest.mark.one_database
def test_the_state_line_tells_what_became_of_an_act(app: Flask) -> None:
    with app.app_context():
        week = Act(ActKind.SUSPEND, M, until=NOW + timedelta(days=7))
        assert words.state(Act(), NOW) == ""
        assert words.state(week, NOW) == "Until 2026-05-11."
        assert words.state(week, NOW + timedelta(days=8)) == "Ended on 2026-05-11."
        assert words.state(week, NOW, is_appealed=True) == "Appealed, and not decided yet. Until 2026-05-11."
        softened = Act(ActKind.SOFTEN, M, number=9, until=NOW + timedelta(days=1))
        assert words.state(week, NOW, decided_by=softened, is_appealed=True) == "Softened by act 9. Until 2026-05-05."
        assert words.state(Act(), NOW, decided_by=Act(ActKind.UPHOLD, number=8)) == "Upheld by act 8."
        assert words.state(week, NOW, undone_by=Act(ActKind.LIFT, number=10)) == "Taken back by act 10."
        assert words.state(Act(ActKind.HOLD), NOW, undone_by=Act(ActKind.APPROVE, number=7)) == "Approved by act 7."
        assert words.state(Act(ActKind.HOLD), NOW, decided_by=Act(ActKind.REJECT, number=7)) == "Rejected by act 7."
        assert words.state(week, NOW, undone_by=Act(ActKind.OVERTURN, number=11)) == "Overturned by act 11."
