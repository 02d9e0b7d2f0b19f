"""Doors of acts: an act as everyone and as the person concerned reads it, and the board's rules."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from blog.acts import letters, recording, words
from blog.acts.models import ActKind, TargetKind
from blog.clock import now
from blog.comments import thread
from blog.errors import Refused
from blog.filters import reading
from blog.moderation import appeal_forms, appeals, rulebook
from blog.moderation.models import Outcome
from blog.permissions import may_moderate, may_read_act_words
from blog.viewer import Viewer, viewer
from blog.web import open_to_all, page_or_fragment, unshared

bp = Blueprint("acts", __name__)

# Acts that took words away or gave them back: their page shows the words to whom they concern.
ABOUT_WORDS = frozenset({ActKind.HIDE, ActKind.UNHIDE, ActKind.WARN, ActKind.ASIDE, ActKind.BACK, ActKind.HOLD, ActKind.APPROVE,
                         ActKind.REJECT, *words.DECISIONS})
OF_SOMEBODY = frozenset({TargetKind.COMMENT, TargetKind.POST, TargetKind.HELD})

# Where these lead stands the name of the person concerned, beside nothing that tells everybody of the act anyway.
NAMES_THE_PERSON = frozenset({ActKind.WARN, ActKind.HOLD, ActKind.APPROVE, ActKind.REJECT, ActKind.BAD_FAITH})


@bp.get("/acts/<key:number>")
@open_to_all
def show(number: int) -> Response:
    """Two faces: for everybody, and for the person concerned (signed in, or with the key of their mail) and moderators."""
    receipt = recording.receipt(number)
    act = receipt.act
    key = request.args.get("key", "")
    has_key = letters.holds_key(key, act.number, act.person_id)
    own = has_key or (viewer().is_member and viewer().id == act.person_id)
    knows = own or bool(may_read_act_words(viewer(), act.person_id))
    # Whoever holds the key reads as the person does.
    reader = Viewer(id=act.person_id or 0) if own else viewer()
    place = appeals.place(act, viewer(), own=own, key=key if has_key else "")
    response = page_or_fragment(
        "acts/show.html", "acts/show.html", receipt=receipt, own=own, key=key if has_key else "", what=_noun(receipt),
        sentence=words.receipt(act, own, about=_about(receipt)), who=words.actor_words(act),
        knows=knows and act.kind in ABOUT_WORDS and act.target_kind in OF_SOMEBODY,
        words=_words_of(receipt, reader) if knows else "", to=_place(receipt, knows), moderates=bool(may_moderate(viewer())),
        state=words.state(act, now(), undone_by=receipt.undone_by, decided_by=receipt.decided_by, is_appealed=place.is_open),
        place=place, became=words.became, forms=appeal_forms.begun(place, viewer().id), meaning=appeal_forms.meaning, outcomes=list(Outcome),
    )
    return unshared(response) if own else response


def _noun(receipt: recording.Receipt) -> str:
    """What the act is about, without its article."""
    return words.target_words(receipt.act).partition(" ")[2]


def _about(receipt: recording.Receipt) -> int:
    """The number of the act that this one decides on."""
    act = receipt.about or receipt.undoes
    return act.number if act is not None else 0


def _place(receipt: recording.Receipt, knows: bool) -> str:
    """Where what the act is about stands now, "" where there is no such page or where it would tell everybody the person's name."""
    act = receipt.act
    about = receipt.about or receipt.undoes
    if not knows and (act.kind in NAMES_THE_PERSON or (about is not None and about.kind in NAMES_THE_PERSON)):
        return ""
    if act.target_kind == TargetKind.ACT:
        return f"/acts/{receipt.about.number}" if receipt.about is not None else ""
    return {TargetKind.COMMENT: f"/comments/{act.target_id}", TargetKind.POST: f"/posts/{act.target_id}"}.get(TargetKind(act.target_kind), "")


def _words_of(receipt: recording.Receipt, reader: Viewer) -> str:
    """The HTML that the act is about, as the reader may read it; "" where it is gone or there is none."""
    act = receipt.act
    if act.kind not in ABOUT_WORDS:
        return ""
    try:
        if act.target_kind == TargetKind.COMMENT:
            return thread.one(reader, act.target_id, own_page=True).comment.html
        if act.target_kind == TargetKind.HELD:
            return reading.words_of(act.target_id)
        return thread.post_words(reader, act.target_id) if act.target_kind == TargetKind.POST else ""
    except Refused:
        return ""


@bp.get("/rules")
@open_to_all
def rules() -> Response:
    return page_or_fragment("acts/rules.html", "acts/rules.html", rules=rulebook.with_retired())
