"""Doors of appeals: filing one, the messages in it, deciding it, and the moderators' list."""

from typing import Any

from flask import Blueprint, flash, request
from werkzeug.wrappers import Response

from blog import limiting
from blog.acts import letters, recording, words
from blog.db import writing
from blog.drafts import keeping
from blog.errors import NotAllowed, NotFound
from blog.moderation import appeals
from blog.moderation.appeal_forms import AppealForm, DecideForm, Forms, MessageForm, begun, meaning
from blog.moderation.models import Outcome
from blog.permissions import may_moderate
from blog.viewer import viewer
from blog.web import fragment_or_redirect, is_fragment, open_by_key, page_or_fragment, unshared

bp = Blueprint("appeals", __name__)


@bp.route("/acts/<key:number>/appeal", methods=["GET", "POST"])
@open_by_key
def appeal(number: int) -> Response:
    """For the person concerned, signed in or by the link in their mail."""
    receipt, person_id, key = _concerned(number)
    if not person_id:
        raise NotAllowed("Only the person concerned can appeal: sign in as they, or open the link in the mail about the act.")
    forms = Forms()
    if request.method == "POST":
        forms.appeal = AppealForm()
        with forms.appeal.holding_refusals():
            forms.appeal.check()
            limiting.spend("press", person_id)
            with writing():
                appeals.file(number, person_id, forms.appeal.statement.data)
                keeping.drop(f"/acts/{number}/appeal", person_id)
        if forms.appeal.accepted:
            return _done(number, key, "Your appeal is filed. You are told what is decided, with its reason.")
    place = appeals.place(receipt.act, viewer(), own=True, key=key)
    return _page(place, receipt, forms if request.method == "POST" else begun(place, person_id), forms.appeal.status)


@bp.post("/acts/<key:number>/messages")
@open_by_key
def messages(number: int) -> Response:
    """A message: from the person concerned, or from a moderator who may decide."""
    receipt, person_id, key = _concerned(number)
    forms = Forms(message=MessageForm())
    with forms.message.holding_refusals():
        forms.message.check()
        limiting.spend("press", person_id or viewer().id)
        with writing():
            appeals.say(number, viewer(), person_id, forms.message.body.data, forms.message.submission_id.key)
            keeping.drop(f"/acts/{number}/messages", viewer().id)
    if forms.message.accepted:
        return _done(number, key, "Sent.")
    place = appeals.place(receipt.act, viewer(), own=bool(person_id), key=key)
    if not place.is_shown:
        raise forms.message.refusal or NotFound()
    return _page(place, receipt, forms, forms.message.status)


@bp.route("/acts/<key:number>/decide", methods=["GET", "POST"])
def decide(number: int) -> Response:
    """For another moderator than the one who acted."""
    may_moderate(viewer()).require()
    receipt = recording.receipt(number)
    forms = Forms()
    if request.method == "POST":
        forms.decision = DecideForm()
        decided = 0
        with forms.decision.holding_refusals():
            forms.decision.check()
            limiting.spend("act", viewer().id)
            with writing():
                decided = appeals.decide(number, viewer(), outcome=Outcome(forms.decision.outcome.data), reason=forms.decision.reason.data,
                                         until=forms.decision.ends_at).number
                keeping.drop(f"/acts/{number}/decide", viewer().id)
        if decided:
            said = f"Act {number} is {appeals.DONE[Outcome(forms.decision.outcome.data)]}, by act {decided}. The appellant and whoever acted are told."
            return _done(number, "", said, to="/moderation/appeals")
        receipt = recording.receipt(number)
    place = appeals.place(receipt.act, viewer())
    if place.appeal is None:
        raise NotFound(f"Nobody has appealed against act {number}.")
    return _page(place, receipt, forms if request.method == "POST" else begun(place, viewer().id), forms.decision.status)


@bp.get("/moderation/appeals")
def index() -> Response:
    may_moderate(viewer()).require()
    after = request.args.get("after", "")
    waiting, more = appeals.waiting(viewer(), after)
    return page_or_fragment("moderation/appeals.html", "moderation/appeals.html", waits=waiting, more=more, after=after)


def _concerned(number: int) -> tuple[recording.Receipt, int, str]:
    """The act; whom it concerns, if they ask (signed in, or with the key of their mail), else 0; and that key."""
    receipt = recording.receipt(number)
    person_id = receipt.act.person_id or 0
    key = request.args.get("key", "")
    if letters.holds_key(key, number, receipt.act.person_id):
        return receipt, person_id, key
    if not viewer().is_member:
        raise NotAllowed("This link is damaged, so it opens nothing. Copy it whole from the mail, or sign in.")
    return receipt, person_id if viewer().id == person_id else 0, ""


def _facts(place: appeals.Place, receipt: recording.Receipt, forms: Forms) -> dict[str, Any]:
    return {"place": place, "receipt": receipt, "forms": forms, "meaning": meaning, "outcomes": list(Outcome),
            "sentence": words.receipt(receipt.act, place.own), "who": words.actor_words(receipt.act)}


def _page(place: appeals.Place, receipt: recording.Receipt, forms: Forms, status: int) -> Response:
    return unshared(page_or_fragment("moderation/appeal.html", "moderation/_appeal.html", status, **_facts(place, receipt, forms)))


def _done(number: int, key: str, said: str, to: str = "") -> Response:
    """After a deed: the appeal as it now stands, in place or on the act's page."""
    if not is_fragment():
        flash(said)
        return fragment_or_redirect("", to or f"/acts/{number}{f'?key={key}' if key else ''}#appeal")
    receipt = recording.receipt(number)
    own = bool(key) or viewer().id == receipt.act.person_id
    place = appeals.place(receipt.act, viewer(), own=own, key=key)
    return unshared(fragment_or_redirect("moderation/_appealed.html", "", said=said, focus=True, **_facts(place, receipt, Forms())))
