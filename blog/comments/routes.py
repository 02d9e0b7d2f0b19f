"""Doors of comments: the form, the permalink, more replies, and the writer's own acts."""

from dataclasses import replace

from flask import Blueprint, flash, render_template, request
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response

from blog import limiting
from blog.comments import drawing, thanking, thread, visits, writing
from blog.comments.forms import CommentForm, EditCommentForm
from blog.comments.talk import Talk
from blog.db import writing as transaction
from blog.drafts import keeping
from blog.errors import BadToken, Invalid, Malformed, NotFound, Refused, Unavailable
from blog.filters import held
from blog.filters.holding import Signs
from blog.forms import BoardForm
from blog.paging import LARGEST, LARGEST_COUNT, read_cursor
from blog.viewer import viewer
from blog.web import after_answer, asked_from, fragment_or_redirect, go, is_fragment, open_to_all, page_or_fragment

bp = Blueprint("comments", __name__)


@bp.get("/comments/<key:comment_id>")
@open_to_all
def permalink(comment_id: int) -> Response:
    """The comment in its place; for one in a hidden branch, to the top of that branch, which tells why."""
    try:
        return _permalink(comment_id, "")
    except thread.Buried as buried:
        return go(f"/comments/{buried.above}")


@bp.get("/comments/<key:comment_id>/replies")
@open_to_all
def replies(comment_id: int) -> Response:
    """Under htmx the next replies alone; without script the comment's page from there on."""
    after = request.args.get("after", "")
    if not is_fragment():
        return _permalink(comment_id, after)
    on = thread.one(viewer(), comment_id)
    level = min(request.args.get("level", type=int) or on.comment.depth + 1, 999)
    listing, more = thread.replies(on, after=after, level=max(1, level))
    return page_or_fragment("", "comments/_replies.html", on=on, listing=listing, more=more, talk=_page_talk(on, listing))


def _permalink(comment_id: int, after: str) -> Response:
    on = thread.one(viewer(), comment_id, own_page=True)
    above = thread.ancestors(on)
    below, more = thread.replies(on, after=after, level=len(above) + 2)
    listing = thread.chained(above, on, below, first_page=not after, more=more)
    skipped = on.comment.depth - 1 - len(above)
    talk = _page_talk(on, listing)
    response = page_or_fragment("comments/permalink.html", "comments/permalink.html", on=on, listing=listing, skipped=skipped,
                                talk=talk, form=CommentForm(formdata=None))
    member_id, seq = viewer().id, on.comment.seq
    if talk.seen.noted_seq is not None and talk.seen.noted_seq < seq:
        after_answer(response, lambda: visits.note_one(member_id, on.post_id, comment_id, seq), "a visit")
    return response


def _page_talk(on: thread.OnPost, listing: thread.Listing) -> Talk:
    """The rulings for a page of comments, with the viewer's marks. Three statements for a member."""
    thanked = thanking.thanked_by(viewer().id, [row.id for row in listing.rows])
    talk = Talk(viewer(), on.post, seen=visits.seen(viewer(), on.post_id), thanked=thanked)
    new = [row for row in listing.rows if talk.is_new(row)]
    if new:
        elsewhere = visits.first_new(on.post_id, on.comment.seq, besides=[row.id for row in new], writer=viewer().id)
        talk = replace(talk, next_new=drawing.ways(new, elsewhere))
    return talk


@bp.get("/comments/<key:comment_id>/reply")
@open_to_all
def reply(comment_id: int) -> Response:
    """The form that answers this comment."""
    on = thread.one(viewer(), comment_id)
    talk = Talk(viewer(), on.post)
    form = _fresh_form(talk, keeping.of_comments(on.post_id, comment_id), on)
    return _reply_page(form, talk, on)


@bp.get("/posts/<slug>/comments")
@open_to_all
def write(slug: str) -> Response:
    """The form alone: a new comment, or with ?parent_id= a reply."""
    post = thread.post_at(viewer(), slug)
    talk = Talk(viewer(), post)
    on = _answered(request.args.get("parent_id"), post)
    target = keeping.of_comments(post.id, on.comment.id if on else None)
    return _reply_page(_fresh_form(talk, target, on), talk, on)


@bp.post("/posts/<slug>/comments")
def add(slug: str) -> Response:
    post = thread.post_at(viewer(), slug)
    form = CommentForm()
    talk = Talk(viewer(), post)
    on = None
    preview = ""
    sent = writing.Sent()
    with form.holding_refusals():
        on = _answered(form.parent_id.data, post)
        form.check()
        if form.previews:
            limiting.spend("press", viewer().id)
        words = writing.words(form.body.data)
        if form.previews:
            preview = words.html
        else:
            limiting.spend("comment", viewer().id)
            with transaction():
                sent = writing.send(post.id, viewer(), words, parent_id=form.parent, submission_id=form.submission_id.key,
                                    signs=Signs(form.homepage.is_filled, form.began.seconds))
                keeping.drop_sent(keeping.of_comments(post.id, form.parent_id.data), viewer().id, form.body.data or "", form.submission_id.key)
    if sent.comment_id:
        return _posted(sent.comment_id)
    if sent.held_id:
        return _waits(sent.held_id, on)
    if form.refusal:
        _keep(form, keeping.of_comments(post.id, form.parent_id.data))
        talk = Talk(viewer(), thread.post_at(viewer(), slug))
        on = thread.one(viewer(), on.comment.id) if on else None
    if not form.submission_id.data:
        form.submission_id.data = talk.submission_id()
    form.began.begin()
    return _reply_page(form, talk, on, preview)


def _posted(comment_id: int) -> Response:
    on = thread.one(viewer(), comment_id)
    talk = Talk(viewer(), on.post)
    on.comment.level = on.comment.depth
    form = CommentForm(formdata=None)
    form.submission_id.data = talk.submission_id()
    form.began.begin()
    if not is_fragment() or _is_alone():
        flash("Posted.", f"undo /comments/{comment_id}/delete")
    if _is_alone():
        return go(thread.page_with(on))
    return fragment_or_redirect("comments/_posted.html", thread.page_with(on), 201, on=on, talk=talk, form=form)


def _waits(held_id: int, on: thread.OnPost | None) -> Response:
    """What was sent waits for a moderator: its page says why; under htmx the text stands where it was written."""
    waiting_text = held.one(held_id, viewer())
    talk = Talk(viewer(), on.post if on else thread.post_at(viewer(), str(waiting_text.post_id)))
    form = CommentForm(formdata=None)
    form.submission_id.data = talk.submission_id()
    form.began.begin()
    return fragment_or_redirect("comments/_waits.html", f"/held/{held_id}", 202, held=waiting_text, talk=talk, form=form)


@bp.route("/comments/<key:comment_id>/edit", methods=["GET", "POST"])
def edit(comment_id: int) -> Response:
    on = thread.one(viewer(), comment_id)
    talk = Talk(viewer(), on.post)
    form = EditCommentForm()
    target = f"/comments/{comment_id}/edit"
    preview = ""
    sent = writing.Sent()
    if request.method == "POST":
        with form.holding_refusals():
            form.check()
            if form.previews:
                limiting.spend("press", viewer().id)
            words = writing.words(form.body.data)
            if form.previews:
                preview = words.html
            else:
                limiting.spend("comment", viewer().id)
                with transaction():
                    sent = writing.edit(comment_id, viewer(), words, version=form.version.data)
                    keeping.drop(target, viewer().id)
        on = thread.one(viewer(), comment_id)
        if sent.held_id:
            return fragment_or_redirect("comments/_edit_waits.html", f"/held/{sent.held_id}", 202, held=held.one(sent.held_id, viewer()), on=on)
        if form.accepted and not preview:
            return _changed(on, "Saved. The earlier words stay as a revision.")
        if form.refusal:
            _keep(form, target)
    else:
        writing.may_change(comment_id, viewer())
        kept = keeping.kept(target, viewer().id) or {}
        form.body.data = kept.get("body") or writing.source_of(comment_id)
        version = str(kept.get("version", ""))  # of the words that the kept text began from
        form.version.data = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else on.comment.version
    return page_or_fragment("comments/edit.html", "comments/_edit_slot.html" if request.method == "POST" else "comments/_edit_form.html",
                            form.status, on=on, talk=talk, form=form, preview=preview)


@bp.get("/comments/<key:comment_id>/history")
@open_to_all
def history(comment_id: int) -> Response:
    on = thread.one(viewer(), comment_id, own_page=True)
    before = read_cursor(request.args.get("after"), largest=LARGEST_COUNT)
    revisions, more = writing.history(on, viewer(), before[0] if before else None)
    return page_or_fragment("comments/history.html", "comments/history.html", on=on, revisions=revisions, more=more)


@bp.post("/comments/<key:comment_id>/delete")
def delete(comment_id: int) -> Response:
    limiting.spend("press", viewer().id)
    with transaction():
        given_back = writing.delete(comment_id, viewer())
    return _pressed(comment_id, "Deleted. Its words are kept for you for 30 days.", undo=f"/comments/{comment_id}/restore", given_back=given_back)


@bp.post("/comments/<key:comment_id>/restore")
def restore(comment_id: int) -> Response:
    limiting.spend("press", viewer().id)
    with transaction():
        writing.restore(comment_id, viewer())
    return _pressed(comment_id, "Restored, at its old place.")


@bp.post("/comments/<key:comment_id>/thank")
def thank(comment_id: int) -> Response:
    """Thank for a comment or take it back: `on` 1 or 0 says which, without it the other of what stands."""
    limiting.spend("press", viewer().id)
    with transaction():
        thanking.thank_comment(comment_id, viewer(), on={"1": True, "0": False}.get(request.form.get("on", "")))
    on = thread.one(viewer(), comment_id)
    return fragment_or_redirect("comments/_actions.html", thread.page_with(on), on=on, talk=_talk(on))


@bp.get("/posts/<slug>/new")
@open_to_all
def news(slug: str) -> Response:
    """"3 new replies" since number `since` beside the `own` posted in the page, 304 for none; asked every minute, so it touches no comment row."""
    since, own = (read_cursor(request.args.get(name, "0")) or (0,) for name in ("since", "own"))
    post = thread.post_at(viewer(), slug)
    etag = f'W/"{post.last_seq}-{since[0]}-{own[0]}"'
    count = post.last_seq - since[0] - own[0]
    if count <= 0 or request.headers.get("If-None-Match") == etag:
        answer = Response(status=304)
    else:
        answer = Response(render_template("comments/_news.html", post=post, count=count, since=since[0]), mimetype="text/html")
    answer.headers["ETag"], answer.headers["Cache-Control"] = etag, "private, no-cache"
    return answer


@bp.post("/posts/<slug>/read")
def read(slug: str) -> Response:
    """Nothing in this thread is new to me any more."""
    limiting.spend("press", viewer().id)
    post = thread.post_at(viewer(), slug)
    with transaction():
        visits.mark_read(viewer().id, post.id)
    return go(f"{post.path}#talk")


def _talk(on: thread.OnPost) -> Talk:
    """The rulings for one comment, with what the viewer knew of its thread and thanked for. Two statements for a member."""
    thanked = thanking.thanked_by(viewer().id, [on.comment.id])
    return Talk(viewer(), on.post, seen=visits.seen(viewer(), on.post_id), thanked=thanked)


def _pressed(comment_id: int, said: str, undo: str = "", given_back: str = "") -> Response:
    on = thread.one(viewer(), comment_id)
    if not is_fragment():
        flash(said, f"undo {undo}" if undo else "message")
    to = thread.page_with(on) if on.comment.listed else f"{on.post.path}#talk"
    return fragment_or_redirect("comments/_pressed.html", to, on=on, talk=_talk(on), said=said, undo=undo, given_back=given_back)


def _is_alone() -> bool:
    """Whether the form that was sent stands on a page of its own, where the discussion is not: then the way leads there."""
    return asked_from().endswith(("/comments", "/reply", "/edit"))


def _changed(on: thread.OnPost, said: str) -> Response:
    if not is_fragment() or _is_alone():
        flash(said)
    if _is_alone():
        return go(thread.page_with(on))
    return fragment_or_redirect("comments/_changed.html", thread.page_with(on), on=on, talk=_talk(on), said=said)


def _answered(raw: str | None, post: thread.PostOf) -> thread.OnPost | None:
    """The comment that a form answers, from its id; it must stand in this very post."""
    if not raw:
        return None
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 19 and int(raw) <= LARGEST):
        sentence = "The comment that this answers can’t be found."
        raise Invalid(sentence, "parent_id") if request.method == "POST" else Malformed(sentence)
    on = thread.one(viewer(), int(raw))
    if on.post_id != post.id:
        raise NotFound("The comment that this answers is not in this discussion.")
    return on


def _fresh_form(talk: Talk, target: str, on: thread.OnPost | None) -> CommentForm:
    form = CommentForm(formdata=None)
    kept = keeping.kept(target, talk.viewer.id) if talk.viewer.is_member else None
    if kept:
        form.body.data = str(kept.get("body", ""))
        form.submission_id.data = str(kept.get("submission_id", "")) or None
    if on is not None and request.args.get("quote") and talk.may_reply(on.comment):
        typed, quote = (form.body.data or "").rstrip(), writing.quoted(on)
        form.body.data = typed if quote.strip() in typed else f"{typed}\n\n{quote}".lstrip("\n")
    if not form.submission_id.data:
        form.submission_id.data = talk.submission_id()
    form.began.begin()
    return form


def _reply_page(form: CommentForm, talk: Talk, on: thread.OnPost | None, preview: str = "") -> Response:
    fragment = "comments/_form_slot.html" if request.method == "POST" else "comments/_form.html"
    return page_or_fragment("comments/reply.html", fragment, form.status, form=form, talk=talk, on=on, preview=preview,
                            by=writing.credit(on) if on and not on.comment.is_tombstone else "")


def _keep(form: BoardForm, target: str) -> None:
    """A refused text waits on the server too, should the browser be closed now."""
    if isinstance(form.refusal, (BadToken, Unavailable)) or not form.data.get("body"):
        return
    try:
        with transaction():
            keeping.keep(target, {name: str(value) for name, value in form.data.items() if value}, member_id=viewer().id)
    except (Refused, OperationalError):
        return
