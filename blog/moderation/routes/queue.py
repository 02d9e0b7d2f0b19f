"""Doors of the queue: cases and what moderators do from them, each in place or as a page."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, flash, request
from werkzeug.wrappers import Response

from blog import limiting
from blog.acts import recording
from blog.acts.models import Act
from blog.db import writing
from blog.errors import Malformed
from blog.moderation import answering, cases, rulebook
from blog.moderation import queue as readings
from blog.moderation.forms import BadFaithForm, DismissForm, HideForm
from blog.paging import LARGEST_COUNT
from blog.permissions import may_moderate
from blog.viewer import viewer
from blog.web import fragment_or_redirect, go, instead, is_fragment, page_or_fragment

bp = Blueprint("queue", __name__)

HOME = "/moderation"


@bp.before_request
def only_moderators() -> None:
    may_moderate(viewer()).require()


@bp.get("/moderation")
def index() -> Response:
    asked = request.args.get("show", "open")
    show = asked if asked in readings.SHOWS else "open"
    found = readings.page(viewer(), show, request.args.get("after"))
    return page_or_fragment("moderation/queue.html", "moderation/queue.html", cases=found, show=show, current=HOME if show == "open" else f"{HOME}?show={show}")


@bp.get("/moderation/cases/<key:number>")
def show(number: int) -> Response:
    return page_or_fragment("moderation/case.html", "moderation/case.html", shown=readings.one(viewer(), number), current="")


@bp.post("/moderation/cases/<key:number>/claim")
def claim(number: int) -> Response:
    with writing():
        cases.claim(number, viewer())
    return _again(number, f"Case {number} is yours for half an hour.")


@bp.post("/moderation/cases/<key:number>/pass")
def pass_on(number: int) -> Response:
    with writing():
        cases.pass_on(number, viewer())
    return _again(number, f"Case {number} waits for another moderator.")


def _again(number: int, said: str) -> Response:
    """The case as it stands now: in its place, or on the queue's page."""
    if not is_fragment():
        flash(said)
    return fragment_or_redirect("moderation/_case.html", f"{HOME}#case-{number}", shown=readings.one(viewer(), number), said=said, current=HOME)


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that may be done from a case: its form, its words, and the deed with rule and reason."""

    form: HideForm
    template: str  # the page; pieces are _TEMPLATE_form.html and _TEMPLATE_slot.html
    said: str
    do: Callable[[int, str], Act]
    path: str  # after /moderation/cases/N


@bp.route("/moderation/cases/<key:number>/hide", methods=["GET", "POST"])
def hide(number: int) -> Response:
    def do(rule_id: int, reason: str) -> Act:
        return answering.hide(number, viewer(), rule_id=rule_id, reason=reason)

    return _deed(number, Deed(HideForm(), "hide", "Hidden.", do, "hide"))


@bp.route("/moderation/cases/<key:number>/dismiss", methods=["GET", "POST"])
def dismiss(number: int) -> Response:
    def do(rule_id: int, reason: str) -> Act:
        return answering.dismiss(number, viewer(), rule_id=rule_id, reason=reason)

    return _deed(number, Deed(DismissForm(), "dismiss", "Dismissed.", do, "dismiss"))


@bp.route("/moderation/cases/<key:number>/reports/<key:report_id>/bad-faith", methods=["GET", "POST"])
def bad_faith(number: int, report_id: int) -> Response:
    def do(rule_id: int, reason: str) -> Act:
        return answering.call_bad_faith(number, report_id, viewer(), rule_id=rule_id, reason=reason)

    return _deed(number, Deed(BadFaithForm(), "bad_faith", "Dismissed as made in bad faith.", do, f"reports/{report_id}/bad-faith"))


def _deed(number: int, deed: Deed) -> Response:
    shown = readings.one(viewer(), number)
    form, rules = deed.form, recording.rules()
    form.offer(rules, rulebook.templates())
    if request.method == "POST":
        done = 0
        with form.holding_refusals():
            form.check()
            limiting.spend("act", viewer().id)
            with writing():
                done = deed.do(int(form.rule.data), form.reason.data).number
        if done:
            return _done(number, f"Case {number}. {deed.said} Act {done}.", done)
    else:
        form.begin_with(shown.first_rule, rules)
    piece = f"moderation/_{deed.template}_slot.html" if request.method == "POST" else f"moderation/_{deed.template}_form.html"
    return page_or_fragment(f"moderation/{deed.template}_case.html", piece, form.status, form=form, shown=shown, what=shown.what, name=shown.person,
                            key=f"case-{number}", action=f"{HOME}/cases/{number}/{deed.path}", back=f"{HOME}#case-{number}", heading=3, current=HOME)


def _done(number: int, said: str, act: int) -> Response:
    undo = f"{HOME}/undo?acts={act}"
    if not is_fragment():
        flash(said, f"undo {undo}")
    shown = readings.one(viewer(), number)
    piece = "moderation/_case.html" if shown.is_open else "moderation/_case_done.html"
    return instead(fragment_or_redirect(piece, HOME, shown=shown, said=said, undo=undo, current=HOME), f"case-{number}")


@bp.route("/moderation/hide", methods=["GET", "POST"])
def hide_together() -> Response:
    """Several cases at once, chosen in the queue: one rule, one reason, an act for each."""
    chosen = _numbers(request.values.getlist("case"))
    form = HideForm()
    form.offer(recording.rules(), rulebook.templates())
    if request.method == "POST":
        done = None
        with form.holding_refusals():
            form.check()
            limiting.spend("act", viewer().id)
            with writing():
                done = answering.hide_together(chosen, viewer(), rule_id=int(form.rule.data), reason=form.reason.data)
                numbers = [act.number for act in done.acts]
        if done is not None:
            _tell_together(numbers, done.left)
            return go(HOME)
    return page_or_fragment("moderation/hide_together.html", "moderation/hide_together.html", form.status, form=form,
                            cases=readings.some(viewer(), chosen), current=HOME)


def _tell_together(numbers: list[int], left: list[str]) -> None:
    if numbers:
        acts = f"act {numbers[0]}" if len(numbers) == 1 else f"acts {numbers[0]} to {numbers[-1]}"
        flash(f"Hidden: {len(numbers)} together, {acts}.", f"undo {HOME}/undo?acts={'.'.join(map(str, numbers))}")
    for sentence in left:
        flash(sentence)


def _numbers(raw: list[str]) -> list[int]:
    """Ids that a form chose, each once, in their order."""
    return sorted({int(word) for word in raw if word.isascii() and word.isdigit() and len(word) < 19})


@bp.post("/moderation/undo")
def undo() -> Response:
    numbers = _numbers(request.args.get("acts", "").split("."))
    if any(number > LARGEST_COUNT for number in numbers):
        raise Malformed("That button is damaged. Reload the page and open the act to undo it.")
    with writing():
        opened = answering.take_back(numbers, viewer())
    said = f"Taken back: {len(numbers)} acts." if len(numbers) > 1 else f"Taken back: act {numbers[0]}." if numbers else "There was nothing to take back."
    if len(opened) == 1:
        return _again(opened[0], said)
    flash(said)
    return go(HOME)
