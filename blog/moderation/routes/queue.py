"""Doors of the queue: cases and what moderators do from them, each in place or as a page."""

from collections.abc import Callable
from functools import partial

from flask import Blueprint, flash, request
from werkzeug.wrappers import Response

from blog import limiting
from blog.acts import recording
from blog.acts.models import Act, ActKind, TargetKind
from blog.db import writing
from blog.errors import Malformed
from blog.moderation import answering, cases
from blog.moderation import queue as readings
from blog.moderation.forms import ActForm, BadFaithForm, DismissForm, HideForm
from blog.moderation.routes.acting import announced, done, fresh
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


# Kind: the form, the deed, what is said when it is done, the template of the page (its pieces are _NAME_form.html and _NAME_slot.html).
ON_CASES: dict[ActKind, tuple[type[ActForm], Callable[..., Act], str, str]] = {
    ActKind.HIDE: (HideForm, answering.hide, "Hidden", "act"),
    ActKind.WARN: (ActForm, answering.warn, "Warned", "act"),
    ActKind.DISMISS: (DismissForm, answering.dismiss, "Dismissed", "dismiss"),
    ActKind.BAD_FAITH: (BadFaithForm, answering.call_bad_faith, "Dismissed as made in bad faith", "bad_faith"),
}


@bp.route("/moderation/cases/<key:number>/hide", methods=["GET", "POST"])
def hide(number: int) -> Response:
    return _on_case(number, ActKind.HIDE)


@bp.route("/moderation/cases/<key:number>/warn", methods=["GET", "POST"])
def warn(number: int) -> Response:
    return _on_case(number, ActKind.WARN)


@bp.route("/moderation/cases/<key:number>/dismiss", methods=["GET", "POST"])
def dismiss(number: int) -> Response:
    return _on_case(number, ActKind.DISMISS)


@bp.route("/moderation/cases/<key:number>/reports/<key:report_id>/bad-faith", methods=["GET", "POST"])
def bad_faith(number: int, report_id: int) -> Response:
    return _on_case(number, ActKind.BAD_FAITH, report_id=report_id)


def _on_case(number: int, kind: ActKind, **which: int) -> Response:
    shape, deed, said, name = ON_CASES[kind]
    shown = readings.one(viewer(), number)
    form = fresh(kind, shape)
    if request.method == "POST":
        act = done(form, partial(deed, **which), number)
        if act:
            return _done(number, f"Case {number}. {said}. Act {act}.", act if kind in answering.BACK else 0)
    elif not form.rule.data:
        form.begin_with(shown.first_rule, recording.rules())
    about = TargetKind(shown.what) if name == "act" else TargetKind.CASE
    piece = f"moderation/_{name}_slot.html" if request.method == "POST" else f"moderation/_{name}_form.html"
    return page_or_fragment(f"moderation/{name}_case.html", piece, form.status, form=form, shown=shown, what=shown.what, action=request.path,
                            act=announced(kind, about, shown.person), key=f"case-{number}", back=f"{HOME}#case-{number}", heading=3,
                            replies=shown.replies, current=HOME)


def _done(number: int, said: str, act: int) -> Response:
    """What stands after an act; `act` is its number where it can be taken back at once."""
    undo = f"{HOME}/undo?acts={act}" if act else ""
    if not is_fragment():
        flash(said, f"undo {undo}" if undo else "message")
    shown = readings.one(viewer(), number)
    piece = "moderation/_case.html" if shown.is_open else "moderation/_case_done.html"
    return instead(fragment_or_redirect(piece, HOME, shown=shown, said=said, undo=undo, current=HOME), f"case-{number}")


@bp.route("/moderation/hide", methods=["GET", "POST"])
def hide_together() -> Response:
    """Several cases at once, chosen in the queue: one rule, one reason, an act for each."""
    chosen = _numbers(request.values.getlist("case"))
    form = fresh(ActKind.HIDE, ActForm)
    if request.method == "POST":
        together = None
        with form.holding_refusals():
            form.check()
            limiting.spend("act", viewer().id)
            with writing():
                together = answering.hide_together(chosen, viewer(), **form.facts())
                numbers = [act.number for act in together.acts]
        if together is not None:
            _tell_together(numbers, together.left)
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
