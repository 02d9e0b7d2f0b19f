"""Doors of posts: the front page, an article with its discussion, the editor, the history."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, flash, redirect, request, session
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response

from blog import limiting
from blog.acts import recording, words
from blog.acts.models import Act, ActKind, Rule
from blog.clock import now
from blog.comments import drawing, thanking, thread, visits
from blog.comments.forms import CommentForm
from blog.comments.talk import Talk
from blog.config import settings
from blog.db import writing
from blog.drafts import keeping
from blog.errors import BadToken, Conflict, NotFound, Refused, Unavailable
from blog.filters import held
from blog.moderation.waiting import waiting
from blog.paging import LARGEST_COUNT, read_cursor
from blog.permissions import (
    RESTORE_DAYS,
    YES,
    Ruling,
    is_listed_post,
    may_decide_held,
    may_delete_post,
    may_edit_post,
    may_hide,
    may_lock,
    may_publish,
    may_report,
    may_restore_post,
    may_thank,
    may_unhide,
)
from blog.posts import composing, listing, publishing, ready, revising
from blog.posts.forms import PostForm
from blog.posts.models import Post, PostState
from blog.text.excerpts import minutes_to_read
from blog.topics import listing as topics
from blog.viewer import viewer
from blog.web import after_answer, fragment_or_redirect, go, is_fragment, open_to_all, page_or_fragment, vary

bp = Blueprint("posts", __name__)
WAITS = "Your post waits for a moderator. Nothing is lost: you can change it, or make it a draft again."
SENT_BEFORE = "This form had been sent before, so the post stands as it was. What you changed since is kept: choose Edit to find it."


@bp.get("/")
@open_to_all
def index() -> Response:
    asked = request.args.get("sort", "newest")
    sort = asked if asked in listing.SORTS else "newest"
    posts = listing.front(request.args.get("after"), sort)
    unread = visits.unread(viewer(), {row.id: row.last_seq for row in posts.rows})
    return page_or_fragment("posts/index.html", "posts/index.html", posts=posts, sort=sort, unread=unread, topics=topics.busiest(),
                            may_publish=_may_publish())


@bp.get("/posts/<slug>")
@open_to_all
def show(slug: str) -> Response:
    asked = _asked()
    found = ready.versions(slug) if asked else None
    kept = ready.serve(found, asked) if found and asked else None
    if kept is not None:
        return kept
    post = listing.article(viewer(), slug)
    if slug != post.slug and not post.is_tombstone:
        return moved(post.path)
    if "number" in request.args:
        return _to_comment(post, request.args["number"])
    if "newer" in request.args:
        return _to_first_new(post, request.args["newer"])
    if found and asked:
        page = _page(post, visits.NEVER, None)
        return page if session else ready.keep(found, asked, page.get_data()) or page
    seen = visits.seen(viewer(), post.id)
    waits = held.mine(post.id, viewer().id)
    kept_text = keeping.kept(keeping.of_comments(post.id), viewer().id) if viewer().is_member else None
    if not viewer().is_member or "_flashes" in session or settings().byline == "relative":  # a message that waits to be told makes each page its own
        return _noting(_page(post, seen, kept_text, waits), post, seen)
    etag = ready.member_etag(viewer(), waiting(viewer()), post.version, post.board_version, seen, kept_text, waits, request.query_string)
    response = ready.unchanged() if request.headers.get("If-None-Match") == etag else _page(post, seen, kept_text, waits)
    response.headers["ETag"] = etag
    return _noting(response, post, seen)


def _asked() -> ready.Asked | None:
    """What a request asks of the pages that are kept ready; None if it could not be anybody's: it comes with our cookie or wants a piece.

    Where dates are told as "3 days ago" nothing is kept: it would be out of date too soon.
    """
    if settings().byline == "relative" or is_fragment() or current_app.config["SESSION_COOKIE_NAME"] in request.cookies:
        return None
    if not set(request.args) <= {"sort", "after"} or len(request.query_string) > 100:
        return None
    sort, after = request.args.get("sort", "oldest"), request.args.get("after", "")
    if sort not in thread.SORTS:
        return None
    thread.position(sort, after)  # a damaged cursor is refused whatever the browser has
    return ready.Asked(f"{request.path}?{sort}&{after}", request.headers.get("If-None-Match", ""), "gzip" in request.headers.get("Accept-Encoding", ""))


def _noting(response: Response, post: listing.Article, seen: visits.Seen) -> Response:
    """Note the member's visit after the answer has gone out: the one thing that reading writes."""
    member_id = viewer().id
    if member_id and post.state == PostState.PUBLISHED and seen.is_due(post.last_seq):
        after_answer(response, lambda: visits.note(member_id, post.id, post.last_seq), "a visit")
    return response


def _page(post: listing.Article, seen: visits.Seen, kept: dict[str, Any] | None, waits: Sequence[held.Held] = ()) -> Response:
    """The article with its discussion, as this viewer sees it."""
    named, more = listing.kept_around(post)
    waits_by = held.act_of_post(post.id) if post.is_held else None
    source = revising.newest(post.id).source if post.is_draft else ""
    bounds = _bounds(post)
    return page_or_fragment("posts/show.html", "posts/show.html", post=post, topics=named, more=more, source=source,
                            minutes=minutes_to_read(post.words), bounds=bounds, deeds=_deeds(post, bounds),
                            held_texts=waits, waits_by=waits_by,
                            **_controls(post), **_discussion(post, seen, kept))


def _to_first_new(post: listing.Article, raw: str) -> Response:
    """To the first comment after this number: what "3 new replies, show" leads to."""
    since = read_cursor(raw, largest=LARGEST_COUNT) or (0,)
    comment_id = visits.first_new(post.id, since[0], writer=viewer().id)
    return go(thread.place(viewer(), comment_id) if comment_id else f"{post.path}#talk")


@bp.post("/posts/<slug>/thank")
def thank(slug: str) -> Response:
    """Thank for a post or take it back: `on` 1 or 0 says which, without it the other of what stands."""
    limiting.spend("press", viewer().id)
    post = listing.article(viewer(), slug)
    with writing():
        thanked = thanking.thank_post(post.id, viewer(), on={"1": True, "0": False}.get(request.form.get("on", "")))
    return fragment_or_redirect("posts/_thank.html", post.path, post=listing.article(viewer(), slug), thanked=thanked)


def moved(path: str) -> Response:
    """To the address that holds now, for ever, with the question that was asked."""
    query = request.query_string.decode("utf-8", "replace")
    return vary(redirect(f"{path}?{query}" if query else path, 301))


def _controls(post: listing.Article) -> dict[str, Any]:
    """What this viewer may press at the post itself."""
    who = viewer()
    return {
        "may_edit": bool(may_edit_post(who, post)),
        "may_delete": post.deleted_at is None and bool(may_delete_post(who, post)),
        "may_restore": post.deleted_at is not None and bool(may_restore_post(who, post, now())),
        "thanked": who.is_member and post.thanks > 0 and thanking.has_thanked_post(who.id, post.id),
        "may_thank": post.is_published and bool(may_thank(who, post.author_id, not post.is_tombstone, settings().writing_needs_verified)),
        "may_report": bool(may_report(who, post.author_id, is_listed_post(post))),
        "may_hide": not post.is_tombstone and post.is_published and bool(may_hide(who, post.author_id)),
        "may_decide": post.is_held and post.deleted_at is None and bool(may_decide_held(who, post.author_id)),
        "may_unhide": post.hidden_by is not None and not post.is_redacted and post.deleted_at is None and bool(may_unhide(who, post.author_id)),
        "may_lock": post.is_published and post.deleted_at is None and bool(may_lock(who, post.author_id)),
    }


def _bounds(post: listing.Article) -> list[tuple[Act, Rule, str, datetime | None]]:
    """What moderators set for this discussion: the act, its rule, what was done, and until when as things stand. One statement, if anything is."""
    ends = {post.locked_by: post.locked_until, post.slow_by: post.slow_until}
    return [(act, rule, words.here(act), ends[act.id]) for act, rule in recording.several(found for found in ends if found is not None)]


def _deeds(post: listing.Article, bounds: list[tuple[Act, Rule, str, datetime | None]]) -> list[tuple[str, str]]:
    """What a moderator may do to this discussion as it stands: the address's last part and the word on the link."""
    standing = {act.kind for act, *_ in bounds}
    shut = {ActKind.LOCK: [("unlock", "Unlock")], ActKind.CLOSE: [("reopen", "Reopen")]}
    opening = next((deeds for kind, deeds in shut.items() if kind in standing), [("lock", "Lock"), ("close", "Close")])
    return [*opening, ("unslow", "Stop slowing") if post.slow_by is not None else ("slow", "Slow")]


def talk_post(post: listing.Article) -> thread.PostOf:
    """The facts of a post that its discussion needs."""
    return thread.PostOf(post.id, post.slug, post.author_id, post.state, post.deleted_at, post.hidden_by, post.locked_by,
                         post.last_seq, post.comment_count, post.title)


def _discussion(post: listing.Article, seen: visits.Seen, kept: dict[str, Any] | None) -> dict[str, Any]:
    """What the discussion's template needs; nothing for a post that is not published, which has none."""
    talk = Talk(viewer(), talk_post(post), seen=seen)
    if not post.is_published:
        return {"talk": talk}
    asked = request.args.get("sort", "oldest")
    form = CommentForm(formdata=None)
    form.body.data = str((kept or {}).get("body", ""))
    form.submission_id.data = str((kept or {}).get("submission_id", "")) or talk.submission_id()
    form.began.begin()
    sort, after = asked if asked in thread.SORTS else "oldest", request.args.get("after", "")
    drawn = drawing.draw(talk.post, (post.version, post.board_version), talk, sort=sort, after=after)
    new = seen.count(post.last_seq)
    return {"talk": talk, "form": form, "sort": sort, "after": after, "drawn": drawn, "new": new,
            "next_new": drawn.first_new or drawn.new_elsewhere}


def _to_comment(post: listing.Article, raw: str) -> Response:
    """To the post's comment of that number, wherever it is shown."""
    number = int(raw) if raw.isascii() and raw.isdigit() and len(raw) <= 9 else 0
    comment_id = thread.by_number(post.id, number)
    if comment_id is None:
        raise NotFound("There is no comment of that number under this post.")
    return go(thread.place(viewer(), comment_id))


@bp.route("/posts/new", methods=["GET", "POST"])
def new() -> Response:
    form = PostForm()
    target, preview, path = "/posts/new", None, ""
    if request.method != "POST":
        _bring_back(form, keeping.kept(target, viewer().id) or {})
    else:
        with form.holding_refusals():
            form.check()
            limiting.spend("press" if form.previews else "post", viewer().id)
            preview = composing.text(form.body.data)
            if not form.previews:
                with writing():
                    path = _publish_new(form)
                    if form.submission_id.key:
                        keeping.drop_sent(target, viewer().id, form.body.data, form.submission_id.key)
                    else:
                        keeping.drop(target, viewer().id)
        if path:
            return go(path)
        _keep(form, target)
    if not form.submission_id.data:
        form.submission_id.data = secrets.token_urlsafe(18)
    return _editor("posts/new.html", form, preview, action=target, target=target, ruling=_may_publish())


def _publish_new(form: PostForm) -> str:
    """The new post's address. A form that was sent before gives the post that it made; what was changed since is kept."""
    state = PostState.DRAFT if form.drafts else PostState.PUBLISHED
    post = publishing.publish_new(viewer(), title=form.title.data, source=form.body.data, topics=form.topic_names or [],
                                  submission_id=form.submission_id.key, state=state)
    sent = revising.first(post.id)
    if post.deleted_at is None and (sent.title, sent.source) != (composing.title(form.title.data), composing.text(form.body.data).source):
        _keep_for_edit(form, post.id)
        flash(SENT_BEFORE)
        return _path(post)
    if state is PostState.PUBLISHED and post.state == PostState.DRAFT:
        publishing.publish(post.id, viewer())
    if post.state == PostState.HELD:
        flash(WAITS)
    elif post.state == PostState.DRAFT:
        flash("Saved as a draft. Only you can see it.")
    return _path(post)


def _keep_for_edit(form: PostForm, post_id: int) -> None:
    """What a form that was sent before holds now, for the edit page. It began from the first version: if the post was changed since, saving
    it shows both texts. Above what waits there already, never instead of it."""
    target, fields = f"/posts/{post_id}/edit", {**_fields(form), "version": "1"}
    waiting = str((keeping.kept(target, viewer().id) or {}).get("body", "")).strip()
    if waiting and waiting not in fields["body"]:
        fields["body"] += keeping.BETWEEN + waiting
    keeping.keep(target, fields, member_id=viewer().id)


@bp.route("/posts/<slug>/edit", methods=["GET", "POST"])
def edit(slug: str) -> Response:
    post = listing.article(viewer(), slug)
    form = PostForm()
    target, preview, path = f"/posts/{post.id}/edit", None, ""
    if request.method != "POST":
        may_edit_post(viewer(), post).require()
        _bring_back(form, keeping.kept(target, viewer().id) or _standing(post))
        form.version.data = form.version.data or post.revision
    else:
        with form.holding_refusals():
            form.check()
            limiting.spend("press" if form.previews else "post", viewer().id)
            preview = composing.text(form.body.data)
            if not form.previews:
                with writing():
                    path = _save(form, post)
                    keeping.drop(target, viewer().id)
        if path:
            return go(path)
        _keep(form, target)
        if isinstance(form.refusal, Conflict):  # shown on the page; saving once more is to say that one has seen them
            form.topics_were.data = ", ".join(revising.topic_names(post.id))
    return _editor("posts/edit.html", form, preview, action=f"{post.path}/edit", target=target, post=post, ruling=YES)


def _save(form: PostForm, post: listing.Article) -> str:
    changed = revising.edit(post.id, viewer(), title=form.title.data, source=form.body.data, topics=form.topic_names, topics_were=form.topic_names_before,
                            version=form.version.data, as_draft=form.drafts)
    if changed.held_id:
        return f"/held/{changed.held_id}"
    saved = publishing.publish(post.id, viewer()) if post.is_draft and not form.drafts else changed.post
    if saved.state == PostState.HELD:
        flash(WAITS)
    elif form.drafts:
        flash("Saved as a draft. Only you can see it.")
    else:
        flash("Published." if post.is_draft else "Saved. The earlier words stay as a revision.")
    return _path(saved)


@bp.get("/posts/<slug>/history")
@open_to_all
def history(slug: str) -> Response:
    """The versions in pages; with ?version= one of them, whole."""
    post = listing.article(viewer(), slug, including_gone=True)
    asked = read_cursor(request.args.get("version"), largest=LARGEST_COUNT)
    if asked:
        return page_or_fragment("posts/version.html", "posts/version.html", post=post, revision=revising.version(post, post.id, viewer(), asked[0]))
    before = read_cursor(request.args.get("after"), largest=LARGEST_COUNT)
    revisions, more = revising.history(post, post.id, viewer(), before[0] if before else None)
    return page_or_fragment("posts/history.html", "posts/history.html", post=post, revisions=revisions, more=more)


@bp.post("/posts/<slug>/delete")
def delete(slug: str) -> Response:
    limiting.spend("press", viewer().id)
    post = listing.article(viewer(), slug)
    with writing():
        publishing.delete(post.id, viewer())
    said = "The draft is deleted." if post.is_draft else "The post is taken down."
    flash(f"{said} Its words are kept for you for {RESTORE_DAYS} days.", f"undo /posts/{post.id}/restore")
    return go(f"/posts/{post.id}" if post.last_seq else "/")


@bp.post("/posts/<slug>/restore")
def restore(slug: str) -> Response:
    limiting.spend("press", viewer().id)
    post = listing.article(viewer(), slug, including_gone=True)
    may_restore_post(viewer(), post, now()).require()
    source = publishing.newest_source(post.id)
    if source:
        composing.text(source)  # kept for the deed: rendering takes time
    with writing():
        restored = publishing.restore(post.id, viewer())
    flash("Restored. Only you can see it." if post.is_draft else "Restored, at its old place.")
    return go(f"/posts/{post.id}" if restored.hidden_by is not None else _path(restored))


# -- the editor


def _editor(page: str, form: PostForm, preview: composing.Text | None, **facts: Any) -> Response:
    """The form as a page; under htmx, where the preview was asked for, the preview alone."""
    fragment = "posts/_form.html"
    if form.previews:
        fragment = "posts/_preview_refused.html" if form.refusal else "posts/_preview.html"
    return page_or_fragment(page, fragment, _status(form, facts["ruling"]), form=form, preview=preview, **facts)


def _status(form: PostForm, ruling: Ruling) -> int:
    """A form that would only be refused is a refusal already; the page says why."""
    return form.status if form.refusal or ruling else 403


def _may_publish() -> Ruling:
    return may_publish(viewer(), settings().publishing == "authors", settings().writing_needs_verified)


def _path(post: Post) -> str:
    return listing.path_of(post.slug)


def _standing(post: listing.Article) -> dict[str, Any]:
    """Fields of the form as the post stands."""
    current = revising.newest(post.id)
    names = ", ".join(revising.topic_names(post.id))
    return {"title": current.title, "body": current.source, "topics": names, "topics_were": names, "version": str(current.number)}


def _fields(form: PostForm) -> dict[str, str]:
    return {name: str(value) for name, value in form.data.items() if value and name != "action"}


def _bring_back(form: PostForm, fields: dict[str, Any]) -> None:
    form.title.data, form.body.data, form.topics.data = (str(fields.get(name, "")) for name in ("title", "body", "topics"))
    form.topics_were.data = fields.get("topics_were")
    form.submission_id.data = str(fields.get("submission_id", "")) or None
    version = str(fields.get("version", ""))
    form.version.data = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else None


def _keep(form: PostForm, target: str) -> None:
    """A refused text waits on the server too, should the browser be closed now. Not one that another visit or site sent."""
    if form.refusal is None or isinstance(form.refusal, (BadToken, Unavailable)) or not (form.title.data or form.body.data):
        return
    try:
        with writing():
            keeping.keep(target, _fields(form), member_id=viewer().id)
    except (Refused, OperationalError):
        return
