"""An act in words for readers: the only place that puts one into a sentence. The log, receipts, notices and mails all say it this way.

Without a name and without words of anybody's: who reads a sentence of this module learns what was done, and by which handle.
"""

from datetime import datetime
from typing import Protocol

from blog.acts.models import ActKind, TargetKind
from blog.dates import day

# Who acts where no moderator does.
BOARD = "Board"  # the board itself: a filter
AUTHOR = "Author"  # the author of the post under which a comment stands


class ActFacts(Protocol):
    """What a sentence needs of an act: the row itself, or any value with these names."""

    @property
    def number(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def actor_handle(self) -> str: ...
    @property
    def target_kind(self) -> str: ...
    @property
    def until(self) -> datetime | None: ...


# What was done to a comment, post or waiting text: after the handle, and after "Your comment".
_TEXT = {
    ActKind.HIDE: ("hid {a}", "was hidden"),
    ActKind.UNHIDE: ("brought {a} back", "was brought back"),
    ActKind.CLOSE: ("closed {a} to comments", "was closed to comments"),
    ActKind.REOPEN: ("opened {a} to comments again", "was opened to comments again"),
    ActKind.HOLD: ("held {a} for approval", "waits for approval"),
    ActKind.APPROVE: ("approved {a}", "was approved"),
    ActKind.REJECT: ("rejected {a}", "was rejected"),
    ActKind.REDACT: ("took the words out of {a}", "had its words taken out"),
    ActKind.ASIDE: ("put {a} aside", "was put aside"),
    ActKind.BACK: ("unfolded {a}", "was unfolded again"),
}

# What was done to a discussion: the same for its post's author and for everybody.
_DISCUSSION = {
    ActKind.LOCK: ("locked a discussion", "was locked"),
    ActKind.UNLOCK: ("unlocked a discussion", "was unlocked"),
    ActKind.SLOW: ("slowed a discussion down", "was slowed down"),
    ActKind.UNSLOW: ("let a discussion run at its own pace again", "runs at its own pace again"),
}

# What was done to a member: after the handle, said to them, and said of them.
_MEMBER = {
    ActKind.WARN: ("warned a member", "You were warned", "A member was warned"),
    ActKind.SUSPEND: ("suspended a member", "Your account was suspended", "A member was suspended"),
    ActKind.LIFT: ("lifted a suspension", "Your suspension was lifted", "A suspension was lifted"),
    ActKind.HOLD: ("let a newcomer wait", "Your registration waits for a moderator", "A newcomer waits for a moderator"),
    ActKind.APPROVE: ("admitted a newcomer", "You were admitted", "A newcomer was admitted"),
    ActKind.REJECT: ("refused a newcomer", "Your registration was refused", "A newcomer was refused"),
}

# What was said of reports: after the handle, to whom it concerns, and to everybody. "{on}" is what was reported.
_REPORT = {
    ActKind.DISMISS: ("dismissed the reports on {on}", "The reports on {on} were dismissed", "The reports on {on} were dismissed"),
    ActKind.BAD_FAITH: ("dismissed a report on {on} as made in bad faith", "A report of yours was dismissed as made in bad faith",
                        "A report on {on} was dismissed as made in bad faith"),
    ActKind.REOPEN: ("took back what was said of reports on {on}", "What was said of your report was taken back",
                     "What was said of reports on {on} was taken back"),
}

# What an appeal came to: after the handle, said to the appellant, and said of it. "{act}" is the act appealed.
_DECISION = {
    ActKind.UPHOLD: ("upheld {act}", "Your appeal was not granted: {act} stands", "{Act} was upheld on appeal"),
    ActKind.SOFTEN: ("softened {act}", "Your appeal was granted in part: {act} was softened", "{Act} was softened on appeal"),
    ActKind.OVERTURN: ("overturned {act}", "Your appeal was granted: {act} was overturned", "{Act} was overturned on appeal"),
}

DECISIONS = frozenset(_DECISION)

BECAME = {ActKind.OVERTURN: "overturned", ActKind.SOFTEN: "softened", ActKind.UPHOLD: "upheld", ActKind.APPROVE: "approved", ActKind.REJECT: "rejected"}
# What may follow an act without ending it: the decision of its appeal; of what was held, its rejection.
ANSWERS = DECISIONS | {ActKind.REJECT}

_TARGETS = {
    TargetKind.POST: "a post", TargetKind.COMMENT: "a comment", TargetKind.MEMBER: "a member", TargetKind.HELD: "a comment",
    TargetKind.CASE: "a post or comment", TargetKind.ACT: "an act",
}


def target_words(act: ActFacts) -> str:
    """What an act is about, with its article: "a comment"."""
    return "a discussion" if ActKind(act.kind) in _DISCUSSION else _TARGETS[TargetKind(act.target_kind)]


def actor_words(act: ActFacts) -> str:
    """Who acted, to begin a sentence with: "M1", "The board", "The post’s author"."""
    return {BOARD: "The board", AUTHOR: "The post’s author"}.get(act.actor_handle, act.actor_handle)


def active(act: ActFacts, *, who: str = "", about: int = 0) -> str:
    """What somebody did, without a full stop: "M1 hid a comment". `who` stands for the handle where a board shows names; `about` is the
    number of the act that this one decides on (or whose reason it took out)."""
    return f"{who or actor_words(act)} {_done(act, about)}"


def here(act: ActFacts, who: str = "") -> str:
    """What was done to the discussion above which this stands, without a full stop: "M1 locked this discussion"."""
    done = {ActKind.LOCK: "locked this discussion", ActKind.CLOSE: "closed this post to comments", ActKind.SLOW: "slowed this discussion down"}
    return f"{who or actor_words(act)} {done[ActKind(act.kind)]}"


def passive(act: ActFacts, own: bool, *, about: int = 0) -> str:
    """What happened, without a full stop: "Your comment was hidden" to the person concerned (`own`), else "A comment was hidden"."""
    kind, target = ActKind(act.kind), TargetKind(act.target_kind)
    if kind in _DECISION:
        return _DECISION[kind][1 if own else 2].format(act=_act(about), Act=_capital(_act(about)))
    if kind in _DISCUSSION:
        return f"The discussion of your post {_DISCUSSION[kind][1]}" if own else f"A discussion {_DISCUSSION[kind][1]}"
    if target == TargetKind.ACT:
        return f"The reason of {_act(about)} was taken out"
    if kind in _TEXT and target in _WORDS:
        return f"{'Your ' + _noun(target) if own else _capital(_TARGETS[target])} {_TEXT[kind][1]}"
    if kind in _REPORT:
        return _REPORT[kind][1 if own else 2].format(on=_TARGETS[target])
    _, own_words, words = _MEMBER[kind]
    suffix = f" about {'your' if own else 'a'} {_noun(target)}" if kind == ActKind.WARN and target in _WORDS else ""
    return (own_words if own else words) + suffix


def receipt(act: ActFacts, own: bool, *, about: int = 0) -> str:
    """What happened and by whom, as a whole sentence: "Your comment was hidden, by M1." """
    who = actor_words(act)
    return f"{passive(act, own, about=about)}, by {'the' + who[3:] if who.startswith('The ') else who}."


_WORDS = (TargetKind.POST, TargetKind.COMMENT, TargetKind.HELD)


def _done(act: ActFacts, about: int) -> str:
    kind, target = ActKind(act.kind), TargetKind(act.target_kind)
    if kind in _DECISION:
        return _DECISION[kind][0].format(act=_act(about))
    if kind in _DISCUSSION:
        return _DISCUSSION[kind][0]
    if target == TargetKind.ACT:
        return f"took the reason out of {_act(about)}"
    if kind in _TEXT and target in _WORDS:
        return _TEXT[kind][0].format(a=_TARGETS[target])
    if kind in _REPORT:
        return _REPORT[kind][0].format(on=_TARGETS[target])
    suffix = f" about {_TARGETS[target]}" if kind == ActKind.WARN and target in _WORDS else ""
    return _MEMBER[kind][0] + suffix


def state(act: ActFacts, moment: datetime, *, undone_by: ActFacts | None = None, decided_by: ActFacts | None = None, is_appealed: bool = False) -> str:
    """What became of an act, as whole sentences, "" where there is nothing to tell: what ended it, what its appeal came to, when it ends."""
    if undone_by is not None:
        return f"{_capital(became(undone_by))} by act {undone_by.number}."
    said = []
    if decided_by is not None:
        said.append(f"{_capital(became(decided_by))} by act {decided_by.number}.")
    elif is_appealed:
        said.append("Appealed, and not decided yet.")
    until = decided_by.until if decided_by is not None and decided_by.until is not None else act.until
    if until is not None:
        said.append(f"Ended on {day(until)}." if until <= moment else f"Until {day(until)}.")
    return " ".join(said)


def became(other: ActFacts) -> str:
    """What another act made of one: "overturned", "softened", "taken back"; of a hold "approved"."""
    return BECAME.get(ActKind(other.kind), "taken back")


def _act(number: int) -> str:
    return f"act {number}" if number else "an act"


def _noun(target: TargetKind) -> str:
    return _TARGETS[target].partition(" ")[2]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
