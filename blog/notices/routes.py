"""Doors of notices: the member's own, by day; read, all read, and that taken back."""

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, request
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from blog import limiting
from blog.db import writing
from blog.errors import NotFound
from blog.members import told
from blog.notices import inbox
from blog.paging import micros, moment_of, read_cursor
from blog.viewer import viewer
from blog.web import fragment_or_redirect, is_fragment, page_or_fragment

bp = Blueprint("notices", __name__)


@bp.route("/notices", methods=["GET", "POST"])
def index() -> Response:
    if request.method == "POST":
        return _read()
    return page_or_fragment("notices/index.html", "notices/_inbox.html", **_shelf(_tab(), request.args.get("after")))


def _read() -> Response:
    """Mark one as read (`notice`), all under a tab, or take that back (`?undo=`)."""
    limiting.spend("press", viewer().id)
    back = read_cursor(request.args.get("undo"))
    notice = read_cursor(request.form.get("notice"))
    until = read_cursor(request.form.get("until"))
    said, undo = "", ""
    if back is not None:
        # Told of the same matter in this very moment: then it is unread already.
        with suppress(IntegrityError), writing():
            inbox.unread_again(viewer().id, moment_of(back[0]))
        said = "Unread again."
    elif notice is not None:
        if inbox.one(viewer().id, notice[0]) is None:
            raise NotFound("You have no such notice.")
        with writing():
            inbox.read(viewer().id, notice[0])
    else:
        with writing():
            moment = inbox.read_all(viewer().id, _tab(), moment_of(until[0]) if until else None)
        said, undo = ("Marked as read.", f"/notices?{urlencode(_query(undo=micros(moment)))}") if moment else ("Nothing was unread.", "")
    if said and not is_fragment():
        flash(said, f"undo {undo}" if undo else "message")
    to = f"/notices?{urlencode(_query())}" if _query() else "/notices"
    if notice is not None and back is None:
        found = inbox.one(viewer().id, notice[0])
        return fragment_or_redirect("notices/_read.html", f"{to}#notice-{notice[0]}", line=told.lines([found] if found else [], viewer().id)[0],
                                    unread=inbox.unread(viewer().id))
    return fragment_or_redirect("notices/_all_read.html", to, said=said, undo=undo, **_shelf(_tab(), None))


def _tab() -> str:
    asked = request.values.get("kind", "all")
    return asked if asked in inbox.TABS else "all"


def _query(**more: Any) -> dict[str, Any]:
    """What the address of the page in hand says, with more."""
    return {**({"kind": _tab()} if _tab() != "all" else {}), **more}


def _shelf(tab: str, after: str | None) -> dict[str, Any]:
    """What the list of notices needs. A fixed number of statements."""
    found, more = inbox.page(viewer().id, tab, after)
    newest = micros(found[0].told_at) if found and not after else ""
    days = told.by_day(told.lines(found, viewer().id))
    return {"days": days, "tab": tab, "more": more, "after": after or "", "unread": inbox.unread(viewer().id), "newest": newest}
