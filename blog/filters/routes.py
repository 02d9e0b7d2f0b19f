"""Doors of what waits for approval: its writer's page, and the moderators' list and decisions."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, request, session
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response

from blog import limiting
from blog.acts import recording
from blog.acts.models import Act
from blog.comments import writing as comments
from blog.config import settings
from blog.db import writing
from blog.drafts import keeping
from blog.errors import BadToken, Refused, Unavailable
from blog.filters import admitting, held, holding
from blog.filters import listing as lists
from blog.filters.forms import ApproveForm, HeldForm, InvitationForm, LineForm
from blog.filters.models import FilterKind, HeldKind, HeldState
from blog.forms import BoardForm
from blog.members import profile
from blog.moderation import approving, awaiting
from blog.moderation.forms import HideForm
from blog.permissions import may_change_held, may_decide_held, may_moderate
from blog.posts import composing, listing
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
        target, place, fields = _back_in_form(text, row.source)
        if keeping.kept(target, viewer().id) is None:  # never over something newer
            keeping.keep(target, fields, member_id=viewer().id)
    if not is_fragment():
        flash("Taken back. The text is a draft of yours again, in the form that it came from.")
    return fragment_or_redirect("filters/_taken_back.html", place, held=text, target=place)


def _back_in_form(text: held.Held, source: str) -> tuple[str, str, dict[str, str]]:
    """The form that a text came from, under which it is kept and where it stands, and its fields."""
    if text.kind == HeldKind.EDIT:
        target = f"/comments/{text.comment_id}/edit"
        return target, target, {"body": source}
    if text.kind == HeldKind.POST_EDIT:
        return f"/posts/{text.post_id}/edit", f"{text.post_path}/edit", {"title": text.title or "", "body": source}
    fields = {"body": source, **({"parent_id": str(text.parent_id)} if text.parent_id else {})}
    return keeping.of_comments(text.post_id, text.parent_id), keeping.target_of(f"{text.post_path}/comments", fields), fields


# -- what waits, for moderators


@bp.get("/moderation/held")
def waiting() -> Response:
    may_moderate(viewer()).require()
    return page_or_fragment("filters/waiting.html", "filters/waiting.html", texts=awaiting.texts(request.args.get("texts")),
                            posts=awaiting.posts(request.args.get("posts")), newcomers=awaiting.newcomers(request.args.get("members")))


@bp.post("/moderation/held/<key:held_id>/approve")
def approve(held_id: int) -> Response:
    may_decide_held(viewer(), held.one(held_id, viewer()).author_id).require()
    form = ApproveForm()
    number = 0
    with form.holding_refusals():
        form.check()
        limiting.spend("act", viewer().id)
        with writing():
            number = approving.approve_text(held_id, viewer(), reason=form.reason.data or "", as_root=form.as_root,
                                            version=_version_read()).number
    if number:
        return _decided(f"held-{held_id}", f"Approved. Act {number}.", f"/held/{held_id}")
    return _in_slot("approve", form, text=held.one(held_id, viewer()), needs_choice=isinstance(form.refusal, approving.ParentGone))


def _version_read() -> int | None:
    """Which version of the words stood before the moderator who pressed; the button's address says it."""
    raw = request.args.get("version", "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else None


@bp.route("/moderation/held/<key:held_id>/reject", methods=["GET", "POST"])
def reject(held_id: int) -> Response:
    text = held.one(held_id, viewer())
    may_decide_held(viewer(), text.author_id).require()
    form, number = _turned_away(approving.reject_text, held_id)
    if number:
        return _decided(f"held-{held_id}", f"Rejected. Act {number}.", f"/held/{held_id}")
    return _in_slot("reject", form, text=text, key=f"held-{held_id}", action=f"/moderation/held/{held_id}/reject", what=text.what,
                    back="/moderation/held", name="Its writer", heading=3)


@bp.post("/posts/<slug>/approve")
def approve_post(slug: str) -> Response:
    post = listing.article(viewer(), slug)
    may_decide_held(viewer(), post.author_id).require()
    form = ApproveForm()
    number = 0
    with form.holding_refusals():
        form.check()
        limiting.spend("act", viewer().id)
        with writing():
            number = approving.approve_post(post.id, viewer(), reason=form.reason.data or "", version=_version_read()).number
    if form.refusal:
        raise form.refusal
    return _decided(f"post-{post.id}", f"Approved. Act {number}.", post.path)


@bp.route("/posts/<slug>/reject", methods=["GET", "POST"])
def reject_post(slug: str) -> Response:
    post = listing.article(viewer(), slug)
    may_decide_held(viewer(), post.author_id).require()
    form, number = _turned_away(approving.reject_post, post.id)
    if number:
        return _decided(f"post-{post.id}", f"Rejected. Act {number}.", "")
    return _in_slot("reject", form, text=None, key=f"post-{post.id}", action=f"{post.path}/reject", what="post", back="/moderation/held", name=post.author,
                    heading=3, title=post.title)


def _decided(row: str, said: str, to: str) -> Response:
    """Under htmx the row says what became of it and the counts follow; without script the list, with what was said."""
    if not is_fragment():
        flash(said)
    return fragment_or_redirect("filters/_decided.html", "/moderation/held", row=row, said=said, stands_at=to)


def _turned_away(deed: Callable[..., Act], thing: int) -> tuple[HideForm, int]:
    """The form of a rejection, with what was typed before the session ended; sent, the rejection itself. The number of its act, 0 for none yet."""
    form = HideForm()
    form.offer(recording.rules())
    number = 0
    if request.method == "POST":
        with form.holding_refusals():
            form.check()
            limiting.spend("act", viewer().id)
            with writing():
                number = deed(thing, viewer(), rule_id=int(form.rule.data), reason=form.reason.data).number
                keeping.drop(request.path, viewer().id)
    else:
        kept = keeping.kept(request.path, viewer().id) or {}
        for name in form.data.keys() & kept.keys():
            form[name].data = str(kept[name])
    return form, number


def _in_slot(decision: str, form: BoardForm, **facts: Any) -> Response:
    """The form of a decision: its page, the form alone where a link opens it, the form in its slot where it was refused."""
    fragment = f"filters/_{decision}_slot.html" if request.method == "POST" else f"filters/_{decision}_form.html"
    return page_or_fragment(f"filters/{decision}.html", fragment, form.status, form=form, **facts)


# -- newcomers at the door


@bp.post("/members/<username>/admit")
def admit(username: str) -> Response:
    may_moderate(viewer()).require()
    person = profile.person(username)
    form = ApproveForm()
    with form.holding_refusals():
        form.check()
        limiting.spend("act", viewer().id)
        with writing():
            number = admitting.admit(person.id, viewer(), reason=form.reason.data or "").number
    if form.refusal:
        raise form.refusal
    return _decided(f"member-{person.id}", f"Admitted. Act {number}.", person.path)


@bp.route("/members/<username>/refuse", methods=["GET", "POST"])
def refuse(username: str) -> Response:
    may_moderate(viewer()).require()
    person = profile.person(username)
    form, number = _turned_away(admitting.refuse, person.id)
    if number:
        return _decided(f"member-{person.id}", f"Refused. Act {number}.", person.path)
    return _in_slot("refuse", form, key=f"member-{person.id}", action=f"{person.path}/refuse", back="/moderation/held", name=person.name, heading=3)


# -- invitations


@bp.route("/settings/invitations", methods=["GET", "POST"])
def invitations() -> Response:
    """The member's invitations. A new one's link is shown once, on the page that follows."""
    form = InvitationForm()
    if request.method == "POST":
        with form.holding_refusals():
            form.check()
            limiting.spend("settings", viewer().id)
            with writing():
                if form.end.data:
                    admitting.end_invitation(int(form.end.data), viewer())
                else:
                    session["invitation"] = admitting.invite(viewer(), uses=1 if form.uses.data is None else form.uses.data)
        if form.accepted:
            if form.end.data:
                flash("Taken back. Whoever came by it stays.")
            return go("/settings/invitations")
    made = session.pop("invitation", "")
    return page_or_fragment("filters/invitations.html", "filters/_invitations.html", form.status, form=form, own=admitting.own_invitations(viewer()),
                            may_make=admitting.may_make(viewer()), days=admitting.LASTS.days, most=admitting.MOST_USES if viewer().is_moderator else 1,
                            link=f"{settings().public_url}/register?invitation={made}" if made else "")


# -- the board's lists


@bp.route("/moderation/filters", methods=["GET", "POST"])
def filters() -> Response:
    may_moderate(viewer()).require()
    form = LineForm()
    form.offer(recording.rules())
    if request.method == "POST":
        made = 0
        with form.holding_refusals():
            form.check()
            limiting.spend("act", viewer().id)
            with writing():
                made = lists.add(viewer(), kind=FilterKind(form.kind.data), pattern=form.pattern.data or "", sentence=form.told.data or "",
                                 rule_id=int(form.rule.data))
        if made:
            flash("The line holds from now on.")
            return go(f"/moderation/filters#line-{made}")
    retired, more = lists.retired(request.args.get("after"))
    return page_or_fragment("filters/filters.html", "filters/_line_form.html", form.status, form=form, lines=lists.in_force(), kinds=lists.KINDS,
                            retired=retired, more=more, after=request.args.get("after", ""))


@bp.post("/moderation/filters/<key:line_id>/retire")
def retire(line_id: int) -> Response:
    limiting.spend("act", viewer().id)
    with writing():
        lists.retire(line_id, viewer())
    flash("Taken out. It holds nothing any more; what waits goes on waiting.")
    return go("/moderation/filters")


def _keep(form: BoardForm, target: str) -> None:
    """A refused text waits on the server too, should the browser be closed now."""
    if isinstance(form.refusal, (BadToken, Unavailable)) or not form.data.get("body"):
        return
    try:
        with writing():
            keeping.keep(target, {name: str(value) for name, value in form.data.items() if value and name != "action"}, member_id=viewer().id)
    except (Refused, OperationalError):
        return
