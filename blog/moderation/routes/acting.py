"""Doors of moderation: acts on comments, posts and members, in place or as a page."""

from collections.abc import Callable
from typing import TypeVar

from flask import Blueprint, flash, request
from werkzeug.wrappers import Response

from blog import limiting
from blog.acts import recording
from blog.acts.models import Act, ActKind, TargetKind
from blog.comments import thread
from blog.comments.talk import Talk
from blog.db import writing
from blog.drafts import keeping
from blog.forms import BoardForm
from blog.members import profile
from blog.moderation import folding, hiding, locking, redacting, rulebook, sanctioning
from blog.moderation.announcing import Announced
from blog.moderation.forms import ActForm, HideForm, ReasonForm, SlowForm, SuspendForm, TimedForm
from blog.permissions import Ruling, may_act_on_member, may_hide, may_lock, may_moderate, may_put_aside, may_redact, may_unhide
from blog.posts import listing
from blog.viewer import Viewer, viewer
from blog.web import fragment_or_redirect, go, is_fragment, page_or_fragment

bp = Blueprint("moderation", __name__)

BOTH = ["GET", "POST"]

AnyForm = ActForm | ReasonForm
F = TypeVar("F", bound=BoardForm)


def fresh(kind: ActKind, shape: type[F]) -> F:
    """The form of an act with the rules in force, and with a usual end where it has one."""
    form = shape()
    if isinstance(form, ActForm):
        form.offer(recording.rules(), rulebook.templates() if viewer().is_moderator else ())
    if request.method == "GET":
        if isinstance(form, TimedForm):
            form.suggest()
        kept = keeping.kept(request.path, viewer().id) or {}  # what was typed before the session ended
        for name in form.data.keys() & kept.keys():
            form[name].data = str(kept[name])
    return form


def done(form: AnyForm, deed: Callable[..., Act], thing: int) -> int:
    """Do it; the act's number, 0 where it was refused and the form says why."""
    number = 0
    with form.holding_refusals():
        form.check()
        limiting.spend("act", viewer().id)
        with writing():
            number = deed(thing, viewer(), **form.facts()).number
            keeping.drop(request.path, viewer().id)
    return number


def announced(kind: ActKind, target: TargetKind, name: str) -> Announced:
    """What the form says before the button is pressed."""
    return Announced(kind, target, name, recording.handle_ahead(kind, viewer()))


def slot_or_form() -> str:
    """Under htmx a link opens the form inside its slot; a refused form replaces the slot itself."""
    return "moderation/_act_slot.html" if request.method == "POST" else "moderation/_act_form.html"


# -- comments

# Kind: the form, who may, the deed, what is said when it is done.
ON_COMMENTS: dict[ActKind, tuple[type[AnyForm], Callable[[Viewer, thread.OnPost], Ruling], Callable[..., Act], str]] = {
    ActKind.HIDE: (HideForm, lambda who, on: may_hide(who, on.comment.author_id), hiding.hide_comment, "Hidden"),
    ActKind.UNHIDE: (ReasonForm, lambda who, on: may_unhide(who, on.comment.author_id), hiding.unhide_comment, "Brought back"),
    ActKind.REDACT: (ActForm, lambda who, on: may_redact(who, on.comment.author_id), redacting.redact_comment, "Taken out"),
    ActKind.ASIDE: (ActForm, lambda who, on: may_put_aside(who, on.post_author_id, on.comment.author_id), folding.put_aside, "Put aside"),
    ActKind.BACK: (ReasonForm, lambda who, on: may_put_aside(who, on.post_author_id, on.comment.author_id), folding.bring_back, "Unfolded"),
}


@bp.route("/comments/<key:comment_id>/hide", methods=BOTH)
def hide_comment(comment_id: int) -> Response:
    return _on_comment(comment_id, ActKind.HIDE, undo="unhide")


@bp.route("/comments/<key:comment_id>/unhide", methods=BOTH)
def unhide_comment(comment_id: int) -> Response:
    return _on_comment(comment_id, ActKind.UNHIDE)


@bp.route("/comments/<key:comment_id>/redact", methods=BOTH)
def redact_comment(comment_id: int) -> Response:
    return _on_comment(comment_id, ActKind.REDACT)


@bp.route("/comments/<key:comment_id>/aside", methods=BOTH)
def aside(comment_id: int) -> Response:
    return _on_comment(comment_id, ActKind.ASIDE, undo="back")


@bp.route("/comments/<key:comment_id>/back", methods=BOTH)
def back(comment_id: int) -> Response:
    return _on_comment(comment_id, ActKind.BACK)


def _on_comment(comment_id: int, kind: ActKind, undo: str = "") -> Response:
    shape, may, deed, said = ON_COMMENTS[kind]
    on = thread.one(viewer(), comment_id, own_page=True)
    may(viewer(), on).require()
    form = fresh(kind, shape)
    if request.method == "POST":
        number = done(form, deed, comment_id)
        if number:
            return _comment_done(comment_id, f"{said}. Act {number}.", f"/comments/{comment_id}/{undo}" if undo else "", on.comment.closed)
        on = thread.one(viewer(), comment_id)
    return page_or_fragment("moderation/act_on_comment.html", slot_or_form(), form.status, on=on, form=form, talk=Talk(viewer(), on.post),
                            act=announced(kind, TargetKind.COMMENT, on.comment.display_name), action=request.path, key=comment_id,
                            back=f"/comments/{comment_id}", heading=4, replies=on.comment.reply_count)


def _comment_done(comment_id: int, said: str, undo: str, was_closed: bool) -> Response:
    on = thread.one(viewer(), comment_id)
    is_more = on.comment.closed != was_closed  # what hangs on it came or went too: the page is drawn anew
    if not is_fragment() or is_more:
        flash(said, f"undo {undo}" if undo else "message")
    to = thread.page_with(on) if on.comment.listed else f"{on.post.path}#talk"
    if is_more:
        return go(to.partition("#")[0] if is_fragment() else to)  # to another place of the same page a browser goes without loading it
    return fragment_or_redirect("moderation/_done.html", to, on=on, talk=Talk(viewer(), on.post), said=said, undo=undo)


# -- posts

ON_POSTS: dict[ActKind, tuple[type[AnyForm], Callable[[Viewer, int], Ruling], Callable[..., Act], str]] = {
    ActKind.HIDE: (ActForm, may_hide, hiding.hide_post, "Hidden"),
    ActKind.UNHIDE: (ReasonForm, may_unhide, hiding.unhide_post, "Brought back"),
    ActKind.REDACT: (ActForm, may_redact, redacting.redact_post, "Taken out"),
    ActKind.LOCK: (TimedForm, may_lock, locking.lock, "Locked"),
    ActKind.UNLOCK: (ReasonForm, may_lock, locking.unlock, "Unlocked"),
    ActKind.CLOSE: (ActForm, may_lock, locking.close, "Closed"),
    ActKind.REOPEN: (ReasonForm, may_lock, locking.reopen, "Open again"),
    ActKind.SLOW: (SlowForm, may_lock, locking.slow, "Slowed down"),
    ActKind.UNSLOW: (ReasonForm, may_lock, locking.unslow, "It runs at its own pace again"),
}


@bp.route("/posts/<slug>/hide", methods=BOTH)
def hide_post(slug: str) -> Response:
    return _on_post(slug, ActKind.HIDE, undo="unhide")


@bp.route("/posts/<slug>/unhide", methods=BOTH)
def unhide_post(slug: str) -> Response:
    return _on_post(slug, ActKind.UNHIDE)


@bp.route("/posts/<slug>/redact", methods=BOTH)
def redact_post(slug: str) -> Response:
    return _on_post(slug, ActKind.REDACT)


@bp.route("/posts/<slug>/lock", methods=BOTH)
def lock(slug: str) -> Response:
    return _on_post(slug, ActKind.LOCK, undo="unlock")


@bp.route("/posts/<slug>/unlock", methods=BOTH)
def unlock(slug: str) -> Response:
    return _on_post(slug, ActKind.UNLOCK)


@bp.route("/posts/<slug>/close", methods=BOTH)
def close(slug: str) -> Response:
    return _on_post(slug, ActKind.CLOSE, undo="reopen")


@bp.route("/posts/<slug>/reopen", methods=BOTH)
def reopen(slug: str) -> Response:
    return _on_post(slug, ActKind.REOPEN)


@bp.route("/posts/<slug>/slow", methods=BOTH)
def slow(slug: str) -> Response:
    return _on_post(slug, ActKind.SLOW, undo="unslow")


@bp.route("/posts/<slug>/unslow", methods=BOTH)
def unslow(slug: str) -> Response:
    return _on_post(slug, ActKind.UNSLOW)


def _on_post(slug: str, kind: ActKind, undo: str = "") -> Response:
    shape, may, deed, said = ON_POSTS[kind]
    post = listing.article(viewer(), slug)
    may(viewer(), post.author_id).require()
    form = fresh(kind, shape)
    if request.method == "POST":
        number = done(form, deed, post.id)
        if number:
            return _post_done(post.id, f"{said}. Act {number}.", f"/posts/{post.id}/{undo}" if undo else "")
    return page_or_fragment("moderation/act_on_post.html", slot_or_form(), form.status, post=post, form=form,
                            act=announced(kind, TargetKind.POST, post.author), action=f"{post.path}/{kind}", key="post", back=post.path, heading=2)


def _post_done(post_id: int, said: str, undo: str) -> Response:
    post = listing.article(viewer(), str(post_id))
    if not is_fragment():
        flash(said, f"undo {undo}" if undo else "message")
    return fragment_or_redirect("moderation/_post_done.html", post.path, post=post, said=said, undo=undo)


# -- members

ON_MEMBERS: dict[ActKind, tuple[type[AnyForm], Callable[..., Act], str]] = {
    ActKind.WARN: (ActForm, sanctioning.warn, "Warned"),
    ActKind.SUSPEND: (SuspendForm, sanctioning.suspend, "Suspended"),
    ActKind.LIFT: (ReasonForm, sanctioning.lift, "The suspension is lifted"),
}


@bp.route("/members/<username>/warn", methods=BOTH)
def warn(username: str) -> Response:
    return _on_member(username, ActKind.WARN)


@bp.route("/members/<username>/suspend", methods=BOTH)
def suspend(username: str) -> Response:
    return _on_member(username, ActKind.SUSPEND, undo="lift")


@bp.route("/members/<username>/lift", methods=BOTH)
def lift(username: str) -> Response:
    return _on_member(username, ActKind.LIFT)


def _on_member(username: str, kind: ActKind, undo: str = "") -> Response:
    shape, deed, said = ON_MEMBERS[kind]
    person = profile.person(username)
    may_act_on_member(viewer(), person.id, person.role).require()
    form = fresh(kind, shape)
    if request.method == "POST":
        number = done(form, deed, person.id)
        if number:
            said, back_by = f"{said}. Act {number}.", f"{person.path}/{undo}" if undo else ""
            if not is_fragment():
                flash(said, f"undo {back_by}" if back_by else "message")
            return fragment_or_redirect("moderation/_member_done.html", person.path, person=person, said=said, undo=back_by)
    return page_or_fragment("moderation/act_on_member.html", slot_or_form(), form.status, person=person, form=form,
                            act=announced(kind, TargetKind.MEMBER, person.name), action=f"{person.path}/{kind}", key="member", back=person.path, heading=2)


# -- acts themselves


@bp.route("/acts/<key:number>/redact", methods=BOTH)
def redact_reason(number: int) -> Response:
    """Take the reason out of an act."""
    may_moderate(viewer()).require()
    recording.receipt(number)
    form = fresh(ActKind.REDACT, ActForm)
    if request.method == "POST":
        by_act = done(form, redacting.redact_reason, number)
        if by_act:
            flash(f"Taken out. Act {by_act}.")
            return go(f"/acts/{number}")
    return page_or_fragment("moderation/act_on_act.html", slot_or_form(), form.status, number=number, form=form,
                            act=announced(ActKind.REDACT, TargetKind.ACT, "everyone"), action=f"/acts/{number}/redact", key="act",
                            back=f"/acts/{number}", heading=2)
