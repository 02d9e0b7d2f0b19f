"""What the form of an act says before the button is pressed: what will happen, what the person will read, what everybody will see.

The person's sentence comes from acts/words.py, so the form shows the very words of the receipt.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from blog.acts import words
from blog.acts.models import ActKind, TargetKind
from blog.clock import now
from blog.permissions import APPEAL_DAYS, APPEALABLE


@dataclass(frozen=True, slots=True)
class Announced:
    """An act that is about to be done. `name`: the person concerned; `actor_handle`: under which the viewer will act."""

    kind: ActKind
    target: TargetKind
    name: str
    actor_handle: str

    # What acts/words.py asks of an act besides.
    number: int = 0
    until: datetime | None = None

    @property
    def target_kind(self) -> str:
        return self.target

    @property
    def noun(self) -> str:
        return words.target_words(self).partition(" ")[2]

    @property
    def _text(self) -> "_Text":
        return _REASON if self.target == TargetKind.ACT else _TEXTS[self.kind]

    @property
    def title(self) -> str:
        return self._text.title.format(noun=self.noun, name=self.name)

    @property
    def note(self) -> str:
        """What the act does, as the boundary line above the fields."""
        return self._text.note.format(noun=self.noun, name=self.name)

    @property
    def reads(self) -> str:
        """The sentence that the person will read, without the rule and the reason that follow it."""
        return words.receipt(self, True)

    @property
    def appeal_until(self) -> datetime | None:
        """Until when they may appeal, None for an act that takes nothing."""
        return now() + timedelta(days=APPEAL_DAYS) if self.kind in APPEALABLE and self.target != TargetKind.ACT else None

    @property
    def sees(self) -> str:
        """What stands for everybody where the act has its effect, "" where that is nowhere but in the log."""
        if self.stands_above:
            return f"{words.here(self)}."
        return self._text.sees.format(noun=self.noun, Noun=self.noun.capitalize())

    @property
    def stands_above(self) -> bool:
        """Whether it is told in the boundary line above a discussion, and not in place of something."""
        return self.kind in (ActKind.LOCK, ActKind.CLOSE, ActKind.SLOW)

    @property
    def button(self) -> str:
        return self._text.button.format(name=self.name)

    @property
    def after(self) -> str:
        return self._text.after


@dataclass(frozen=True, slots=True)
class _Text:
    title: str
    note: str
    button: str
    sees: str = ""
    after: str = ""


_UNDO = "Nothing is deleted. You can undo this."
_SAME_RULE = "This is an act of its own, under the same rule."

# An act's own reason, which no one person is to be told of.
_REASON = _Text(
    "Take the reason out of this act",
    "This can’t be undone: the reason leaves the act, its tombstone and the public log, and in its place stands by which act it was taken out.",
    "Take it out for good")

_TEXTS = {
    ActKind.HIDE: _Text(
        "Hide this {noun}",
        "{name} reads this with the rule and your reason, and keeps the words. Everyone sees a tombstone with both, and the act stands at an address"
        " of its own.", "Hide and tell {name}", "{Noun} hidden by a moderator.", _UNDO),
    ActKind.UNHIDE: _Text("Bring this {noun} back", "The words stand at their old place again, for everyone. " + _SAME_RULE, "Bring it back"),
    ActKind.LOCK: _Text(
        "Lock this discussion",
        "Nobody can comment here while it is locked; what stands there stays readable. {name}, whose post it is, is told, and everyone reads the rule"
        " and your reason above the discussion.", "Lock and tell {name}", after=_UNDO),
    ActKind.UNLOCK: _Text("Unlock this discussion", "Everyone who may comment can do so again, at once. " + _SAME_RULE, "Unlock"),
    ActKind.CLOSE: _Text(
        "Close this post to comments",
        "Nobody can comment here any more; what stands there stays readable. {name}, whose post it is, is told, and everyone reads the rule and your"
        " reason above the discussion.", "Close and tell {name}", after=_UNDO),
    ActKind.REOPEN: _Text("Open this post to comments again", "Everyone who may comment can do so again, at once. " + _SAME_RULE, "Reopen"),
    ActKind.SLOW: _Text(
        "Slow this discussion down",
        "Each member can post one comment in the time that you choose; moderators are not slowed. {name}, whose post it is, is told, and everyone reads"
        " the rule and your reason above the discussion.", "Slow down and tell {name}", after=_UNDO),
    ActKind.UNSLOW: _Text("Let this discussion run at its own pace", "Members can comment as often as they like again. " + _SAME_RULE, "Let it run"),
    ActKind.WARN: _Text(
        "Warn {name}",
        "A warning takes nothing away. {name} reads the rule and your reason; the public log shows both without the name.", "Warn {name}"),
    ActKind.SUSPEND: _Text(
        "Suspend {name}",
        "While it lasts {name} can read, export, appeal and leave, but not write, edit, thank or report. The public log shows rule"
        " and reason without the name.", "Suspend and tell {name}"),
    ActKind.LIFT: _Text("Lift the suspension of {name}", "{name} can write again, at once. " + _SAME_RULE, "Lift it"),
    ActKind.REDACT: _Text(
        "Take the words out of this {noun}",
        "This can’t be undone: the words leave every version, draft and copy that the board keeps, for law or somebody’s safety. To take words out of"
        " sight, hide them instead. {name} is told, and the act stands in the public log.", "Take them out for good",
        "The words of this {noun} were taken out."),
    ActKind.ASIDE: _Text(
        "Put this comment aside",
        "It stays where it is, folded away with your reason, and anybody can unfold it. {name} is told and can ask a moderator to decide.",
        "Put aside and tell {name}", "The post’s author put this comment aside.", _UNDO),
    ActKind.BACK: _Text("Unfold this comment again", "It stands open like every other comment again. " + _SAME_RULE, "Unfold it"),
}
