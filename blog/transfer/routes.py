"""Doors of transfer: a member's own data as a file, and the way out."""

from contextlib import ExitStack
from tempfile import SpooledTemporaryFile

from flask import Blueprint, Response, flash, request, send_file, session
from werkzeug.wrappers import Response as WerkzeugResponse

from blog import limiting
from blog.clock import now
from blog.db import at_one_moment, writing
from blog.transfer import exporting, leaving
from blog.transfer.forms import DataForm
from blog.viewer import viewer
from blog.web import go, page_or_fragment, unshared

bp = Blueprint("transfer", __name__)

# Bytes of a file that are kept in memory; what is longer lies on disk until it is sent.
IN_MEMORY = 1024 * 1024


@bp.route("/settings/data", methods=["GET", "POST"])
def data() -> WerkzeugResponse:
    form = DataForm()
    if request.method == "POST":
        with form.holding_refusals():
            form.check()
            if form.action.data == "export":
                limiting.spend("export", viewer().id)
                return _file()
            limiting.spend("present", viewer().id)
            kept = leaving.approve(viewer(), form.current_password.data or "", form.username.data or "")
            with writing():
                leaving.leave(viewer(), kept)
        if form.accepted:
            return _gone()
    return page_or_fragment("transfer/data.html", "transfer/_data_forms.html", form.status, form=form, way=leaving.way(viewer()))


def _gone() -> WerkzeugResponse:
    session.clear()
    flash("You have left. What you published stays, under the name “Former member”.")
    return go("/")


def _file() -> Response:
    """The whole file before its first byte goes out: whoever reads slowly holds no connection to the database."""
    with ExitStack() as held:
        written = held.enter_context(SpooledTemporaryFile(max_size=IN_MEMORY))
        with at_one_moment():
            exporting.write(viewer(), written)
        size = written.tell()
        written.seek(0)
        closing = held.pop_all()
    name = f"parley-{viewer().username}-{now():%Y-%m-%d}.json"
    response = send_file(written, mimetype="application/json", as_attachment=True, download_name=name, conditional=False, etag=False)
    response.content_length = size
    response.call_on_close(closing.close)
    return unshared(response)
