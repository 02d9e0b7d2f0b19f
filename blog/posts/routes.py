"""Doors of posts: the front page, an article with its discussion, the editor, the history."""

import logging
import secrets
from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, flash, redirect, request, session
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from werkzeug.wrappers import Response

from blog import limiting
from blog.acts import recording, words
from blog.acts.models import Act, ActKind, Rule
from blog.comments import drawing, thanking, thread, visits
from blog.comments.forms import CommentForm
from blog.comments.talk import Talk
from blog.config import settings
from blog.db import writing
from blog.drafts import keeping
from blog.errors import BadToken, NotFound, Refused, Unavailable
from blog.paging import LARGEST_COUNT, read_cursor
from blog.permissions import (
    YES,
    Ruling,
    is_listed_post,
    may_delete_post,
    may_edit_post,
    may_hide,
    may_lock,
    may_publish,
    may_report,
    may_thank,
    may_unhide,
)
from blog.posts import composing, listing, publishing, ready, revising
from blog.posts.forms import PostForm
from blog.posts.models import Post, PostState
from blog.text.excerpts import minutes_to_read
from blog.topics import listing as topics
from blog.viewer import viewer
from blog.web import fragment_or_redirect, go, is_fragment, open_to_all, page_or_fragment, vary

bp = Blueprint("posts", __name__)
log = logging.getLogger(__name__)

SENT_BEFORE = "This form had been sent before, so the post stands as it was. What you changed since is kept: choose Edit to find it."


@bp.get("/")
@open_to_all
def index() -> Response:
    asked = request.args.get("sort", "newest")
    sort = asked if asked in listing.SORTS else "newest"
    posts = listing.front(request.args.get("after"), sort)
    unread = visits.unread(viewer(), {row.id: row.last_seq for row in posts.rows})
    return page_or_fragment("posts/index.html", "posts/index.html", posts=posts, sort=sort, unread=unread, topics=topics.all_topics(),
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
    kept_text = keeping.kept(keeping.target_of(f"{talk_post(post).path}/comments", {}), viewer().id) if viewer().is_member else None
    if not viewer().is_member or "_flashes" in session or settings().byline == "relative":  # a message that waits to be told makes each page its own
        return _noting(_page(post, seen, kept_text), post, seen)
    etag = ready.member_etag(viewer(), post.version, post.board_version, seen, kept_text, request.query_string)
    response = ready.unchanged() if request.headers.get("If-None-Match") == etag else _page(post, seen, kept_text)
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
        app = current_app._get_current_object()  # type: ignore[attr-defined]

        def note() -> None:
            with app.app_context():
                try:
                    with writing():
                        visits.note(member_id, post.id, post.last_seq)
                except SQLAlchemyError:
                    log.warning("a visit was not noted", exc_info=True)

        response.call_on_close(note)
    return response


def _page(post: listing.Article, seen: visits.Seen, kept: dict[str, Any] | None) -> Response:
    """The article with its discussion, as this viewer sees it."""
    named, more = listing.around(post.id)
    source = revising.newest(post.id).source if post.is_draft else ""
    bounds = _bounds(post)
    return page_or_fragment("posts/show.html", "posts/show.html", post=post, topics=named, more=more, source=source,
                            minutes=minutes_to_read(post.words), bounds=bounds, deeds=_deeds(post, bounds),
                            **_controls(post), **_discussion(post, seen, kept))


def _to_first_new(post: listing.Article, raw: str) -> Response:
    """To the first comment after this number: what "3 new replies, show" leads to."""
    since = read_cursor(raw, largest=LARGEST_COUNT) or (0,)
    comment_id = visits.first_new(post.id, since[0])
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
        "thanked": who.is_member and post.thanks > 0 and thanking.has_thanked_post(who.id, post.id),
        "may_thank": not post.is_draft and bool(may_thank(who, post.author_id, not post.is_tombstone, settings().writing_needs_verified)),
        "may_report": bool(may_report(who, post.author_id, is_listed_post(post))),
        "may_hide": not post.is_tombstone and not post.is_draft and bool(may_hide(who, post.author_id)),
        "may_unhide": post.hidden_by is not None and not post.is_redacted and post.deleted_at is None and bool(may_unhide(who, post.author_id)),
        "may_lock": post.state == PostState.PUBLISHED and post.deleted_at is None and bool(may_lock(who, post.author_id)),
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
    """What the discussion's template needs; nothing for a draft, which has none."""
    talk = Talk(viewer(), talk_post(post), seen=seen)
    if post.is_draft:
        return {"talk": talk}
    asked = request.args.get("sort", "oldest")
    form = CommentForm(formdata=None)
    form.body.data = str((kept or {}).get("body", ""))
    form.submission_id.data = str((kept or {}).get("submission_id", "")) or talk.submission_id()
    sort, after = asked if asked in thread.SORTS else "oldest", request.args.get("after", "")
    drawn = drawing.draw(talk.post, (post.version, post.board_version), talk, sort=sort, after=after)
    new = seen.count(post.last_seq)
    return {"talk": talk, "form": form, "sort": sort, "after": after, "drawn": drawn, "new": new,
            "next_new": drawn.first_new or (visits.first_new(post.id, seen.before_seq) if new and seen.before_seq is not None else None)}


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
    if request.method == "GET":
        _bring_back(form, keeping.kept(target, viewer().id) or {})
    else:
        with form.holding_refusals():
            form.check()
            limiting.spend("press" if form.previews else "post", viewer().id)
            preview = composing.text(form.body.data)
            if not form.previews:
                with writing():
                    path = _publish_new(form)
                    keeping.drop(target, viewer().id)
        if path:
            return go(path)
        _keep(form, target)
    if not form.submission_id.data:
        form.submission_id.data = secrets.token_urlsafe(18)
    return _editor("posts/new.html", form, preview, action=target, ruling=_may_publish())


def _publish_new(form: PostForm) -> str:
    """The new post's address. A form that was sent before gives the post that it made; what was changed since is kept."""
    state = PostState.DRAFT if form.drafts else PostState.PUBLISHED
    post = publishing.publish_new(viewer(), title=form.title.data, source=form.body.data, topics=form.topic_names or [],
                                  submission_id=form.submission_id.key, state=state)
    if post.deleted_at is None and (post.title, post.html) != (form.title.data, composing.text(form.body.data).html):
        keeping.keep(f"/posts/{post.slug}/edit", _fields(form), member_id=viewer().id)
        flash(SENT_BEFORE)
    elif state is PostState.PUBLISHED and post.state == PostState.DRAFT:
        publishing.publish(post.id, viewer())
    elif post.state == PostState.DRAFT:
        flash("Saved as a draft. Only you can see it.")
    return _path(post)


@bp.route("/posts/<slug>/edit", methods=["GET", "POST"])
def edit(slug: str) -> Response:
    post = listing.article(viewer(), slug)
    form = PostForm()
    target, preview, path = f"/posts/{post.slug}/edit", None, ""
    if request.method == "GET":
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
    return _editor("posts/edit.html", form, preview, action=f"{post.path}/edit", post=post, ruling=YES)


def _save(form: PostForm, post: listing.Article) -> str:
    saved = revising.edit(post.id, viewer(), title=form.title.data, source=form.body.data, topics=form.topic_names, version=form.version.data,
                          as_draft=form.drafts)
    if post.is_draft and not form.drafts:
        saved = publishing.publish(post.id, viewer())
    flash("Saved as a draft. Only you can see it." if form.drafts else "Published." if post.is_draft else "Saved. The earlier words stay as a revision.")
    return _path(saved)


@bp.get("/posts/<slug>/history")
@open_to_all
def history(slug: str) -> Response:
    post = listing.article(viewer(), slug, including_gone=True)
    before = read_cursor(request.args.get("after"), largest=LARGEST_COUNT)
    revisions, more = revising.history(post, post.id, viewer(), before[0] if before else None)
    return page_or_fragment("posts/history.html", "posts/history.html", post=post, revisions=revisions, more=more)


@bp.post("/posts/<slug>/delete")
def delete(slug: str) -> Response:
    limiting.spend("press", viewer().id)
    post = listing.article(viewer(), slug)
    with writing():
        publishing.delete(post.id, viewer())
    flash("The draft is deleted." if post.is_draft else "The post is taken down. Its history stays readable for you alone.")
    return go(f"/posts/{post.id}" if post.last_seq else "/")


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
    names = [topic.name for topic in listing.topics_of([post.id]).get(post.id, [])]
    return {"title": current.title, "body": current.source, "topics": ", ".join(names), "version": str(current.number)}


def _fields(form: PostForm) -> dict[str, str]:
    return {name: str(value) for name, value in form.data.items() if value and name != "action"}


def _bring_back(form: PostForm, fields: dict[str, Any]) -> None:
    form.title.data, form.body.data, form.topics.data = (str(fields.get(name, "")) for name in ("title", "body", "topics"))
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
