"""Doors of what waits for approval: its writer's page, and the moderators' list and decisions."""

from flask import Blueprint, flash, request
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response

from blog import limiting
from blog.comments import writing as comments
from blog.db import writing
from blog.drafts import keeping
from blog.errors import BadToken, Refused, Unavailable
from blog.filters import held, holding
from blog.filters.forms import HeldForm
from blog.filters.models import HeldKind, HeldState
from blog.forms import BoardForm
from blog.permissions import may_change_held
from blog.posts import composing
from blog.viewer import viewer
from blog.web import fragment_or_redirect, go, is_fragment, page_or_fragment

bp = Blueprint("filters", __name__)


# -- the writer's own


@bp.get("/held/<key:held_id>")
def show(held_id: int) -> Response:
    """The text, why it waits and what became of it; for its writer and for moderators. What was approved stands at its place."""
    text = held.one(held_id, viewer())
    if text.state == HeldState.APPROVED:
        return go(f"/comments/{text.comment_id}" if text.comment_id else f"/posts/{text.post_id}")
    return page_or_fragment("filters/show.html", "filters/show.html", held=text, own=viewer().id == text.author_id,
                            may_change=bool(may_change_held(viewer(), text.author_id, text.is_waiting)))


@bp.route("/held/<key:held_id>/edit", methods=["GET", "POST"])
def edit(held_id: int) -> Response:
    text = held.one(held_id, viewer())
    form = HeldForm()
    target, preview, saved = f"/held/{held_id}/edit", "", False
    if request.method == "POST":
        with form.holding_refusals():
            form.check()
            source, html = _rendered(text, form)
            if form.previews:
                preview = html
            else:
                limiting.spend("comment", viewer().id)
                with writing():
                    holding.change(held_id, viewer(), source=source, html=html, version=form.version.data, title=form.title.data)
                    keeping.drop(target, viewer().id)
                saved = True
        if saved:
            flash("Saved. It goes on waiting.")
            return go(f"/held/{held_id}")
        if form.refusal:
            _keep(form, target)
    else:
        may_change_held(viewer(), text.author_id, text.is_waiting).require()
        kept = keeping.kept(target, viewer().id) or {}
        form.body.data = kept.get("body") or held.source_of(held_id)
        form.title.data = kept.get("title") or text.title
        form.version.data = text.version
    return page_or_fragment("filters/edit.html", "filters/_edit_form.html", form.status, held=text, form=form, preview=preview)


def _rendered(text: held.Held, form: HeldForm) -> tuple[str, str]:
    """Source and HTML of what was typed: a post's or a comment's."""
    if text.kind == HeldKind.POST_EDIT:
        whole = composing.text(form.body.data)
        return whole.source, whole.html
    words = comments.words(form.body.data)
    return words.source, words.html


@bp.post("/held/<key:held_id>/withdraw")
def withdraw(held_id: int) -> Response:
    """Its writer takes it back: the text is a draft of theirs again."""
    limiting.spend("press", viewer().id)
    text = held.one(held_id, viewer())
    with writing():
        row = holding.take_back(held_id, viewer())
        target, fields = _back_in_form(text, row.source)
        if keeping.kept(target, viewer().id) is None:  # never over something newer
            keeping.keep(target, fields, member_id=viewer().id)
    if not is_fragment():
        flash("Taken back. The text is a draft of yours again, in the form that it came from.")
    return fragment_or_redirect("filters/_taken_back.html", target, held=text, target=target)


def _back_in_form(text: held.Held, source: str) -> tuple[str, dict[str, str]]:
    """The form that a text came from, and its fields."""
    if text.kind == HeldKind.EDIT:
        return f"/comments/{text.comment_id}/edit", {"body": source}
    if text.kind == HeldKind.POST_EDIT:
        return f"{text.post_path}/edit", {"title": text.title or "", "body": source}
    fields = {"body": source, **({"parent_id": str(text.parent_id)} if text.parent_id else {})}
    return keeping.target_of(f"{text.post_path}/comments", fields), fields


def _keep(form: BoardForm, target: str) -> None:
    """A refused text waits on the server too, should the browser be closed now."""
    if isinstance(form.refusal, (BadToken, Unavailable)) or not form.data.get("body"):
        return
    try:
        with writing():
            keeping.keep(target, {name: str(value) for name, value in form.data.items() if value and name != "action"}, member_id=viewer().id)
    except (Refused, OperationalError):
        return
