"""Doors of moderation: hide and unhide, in place or as a page."""

from flask import Blueprint, flash, request
from werkzeug.wrappers import Response

from blog import limiting
from blog.acts import recording
from blog.comments import thread
from blog.comments.talk import Talk
from blog.db import writing
from blog.moderation import hiding
from blog.moderation.forms import HideForm, UnhideForm
from blog.permissions import may_hide, may_unhide
from blog.posts import listing
from blog.viewer import viewer
from blog.web import fragment_or_redirect, is_fragment, page_or_fragment

bp = Blueprint("moderation", __name__)


@bp.route("/comments/<key:comment_id>/hide", methods=["GET", "POST"])
def hide_comment(comment_id: int) -> Response:
    on = thread.one(viewer(), comment_id, own_page=True)
    may_hide(viewer(), on.comment.author_id).require()
    form = HideForm()
    form.offer(recording.rules())
    if request.method == "POST":
        number = 0
        with form.holding_refusals():
            form.check()
            limiting.spend("act", viewer().id)
            with writing():
                number = hiding.hide_comment(comment_id, viewer(), rule_id=int(form.rule.data), reason=form.reason.data).number
        if number:
            return _comment_done(comment_id, f"Hidden. Act {number}.", undo=f"/comments/{comment_id}/unhide")
        on = thread.one(viewer(), comment_id)
    return page_or_fragment("moderation/hide_comment.html", _slot_or_form("hide"), form.status, on=on, form=form, name=on.comment.display_name,
                            talk=Talk(viewer(), on.post), action=f"/comments/{comment_id}/hide", key=comment_id, what="comment",
                            back=f"/comments/{comment_id}", heading=4)


@bp.route("/comments/<key:comment_id>/unhide", methods=["GET", "POST"])
def unhide_comment(comment_id: int) -> Response:
    on = thread.one(viewer(), comment_id, own_page=True)
    may_unhide(viewer(), on.comment.author_id).require()
    form = UnhideForm()
    if request.method == "POST":
        number = 0
        with form.holding_refusals():
            form.check()
            limiting.spend("act", viewer().id)
            with writing():
                number = hiding.unhide_comment(comment_id, viewer(), reason=form.reason.data or "").number
        if number:
            return _comment_done(comment_id, f"Brought back. Act {number}.")
        on = thread.one(viewer(), comment_id)
    return page_or_fragment("moderation/unhide_comment.html", _slot_or_form("unhide"), form.status, on=on, form=form, name=on.comment.display_name,
                            talk=Talk(viewer(), on.post), action=f"/comments/{comment_id}/unhide", key=comment_id, what="comment",
                            back=f"/comments/{comment_id}", heading=4)


def _comment_done(comment_id: int, said: str, undo: str = "") -> Response:
    on = thread.one(viewer(), comment_id)
    if not is_fragment():
        flash(said, f"undo {undo}" if undo else "message")
    to = thread.page_with(on) if on.comment.listed else f"{on.post.path}#talk"
    return fragment_or_redirect("moderation/_done.html", to, on=on, talk=Talk(viewer(), on.post), said=said, undo=undo)


@bp.route("/posts/<slug>/hide", methods=["GET", "POST"])
def hide_post(slug: str) -> Response:
    post = listing.article(viewer(), slug)
    may_hide(viewer(), post.author_id).require()
    form = HideForm()
    form.offer(recording.rules())
    if request.method == "POST":
        number = 0
        with form.holding_refusals():
            form.check()
            limiting.spend("act", viewer().id)
            with writing():
                number = hiding.hide_post(post.id, viewer(), rule_id=int(form.rule.data), reason=form.reason.data).number
        if number:
            return _post_done(post.id, f"Hidden. Act {number}.", undo=f"/posts/{post.id}/unhide")
    return page_or_fragment("moderation/hide_post.html", _slot_or_form("hide"), form.status, post=post, form=form, name=post.author,
                            action=f"/posts/{post.slug}/hide", key="post", what="post", back=f"/posts/{post.slug}", heading=2)


@bp.route("/posts/<slug>/unhide", methods=["GET", "POST"])
def unhide_post(slug: str) -> Response:
    post = listing.article(viewer(), slug)
    may_unhide(viewer(), post.author_id).require()
    form = UnhideForm()
    if request.method == "POST":
        number = 0
        with form.holding_refusals():
            form.check()
            limiting.spend("act", viewer().id)
            with writing():
                number = hiding.unhide_post(post.id, viewer(), reason=form.reason.data or "").number
        if number:
            return _post_done(post.id, f"Brought back. Act {number}.")
    return page_or_fragment("moderation/unhide_post.html", _slot_or_form("unhide"), form.status, post=post, form=form, name=post.author,
                            action=f"/posts/{post.slug}/unhide", key="post", what="post", back=f"/posts/{post.slug}", heading=2)


def _post_done(post_id: int, said: str, undo: str = "") -> Response:
    post = listing.article(viewer(), str(post_id))
    if not is_fragment():
        flash(said, f"undo {undo}" if undo else "message")
    return fragment_or_redirect("moderation/_post_done.html", post.path, post=post, said=said, undo=undo)


def _slot_or_form(kind: str) -> str:
    """Under htmx a link opens the form inside its slot; a refused form replaces the slot itself."""
    return f"moderation/_{kind}_slot.html" if request.method == "POST" else f"moderation/_{kind}_form.html"
