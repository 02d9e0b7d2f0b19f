"""The door of drafts: what is being typed, sent by the script after a pause and by a button without it."""

from flask import Blueprint, flash, request
from werkzeug.wrappers import Response

from blog import limiting
from blog.clock import now
from blog.dates import clock_time
from blog.db import writing
from blog.drafts import keeping
from blog.drafts.forms import DraftForm
from blog.errors import Invalid
from blog.posts.listing import kept_under
from blog.viewer import viewer
from blog.web import go, is_fragment, own_path, vary

bp = Blueprint("drafts", __name__)


@bp.post("/drafts")
def keep() -> Response:
    """Keep a form's fields under its address. The script reads the line that is answered; the button goes back to the form."""
    form = DraftForm()
    form.check()
    target = own_path(form.target.data, "")
    if not target or not keeping.is_form(target):
        raise Invalid("This draft does not say which form it belongs to. Your text is below.", "target")
    limiting.spend("draft", viewer().id)
    fields = {name: value for name, value in request.form.items() if name != "target"}
    kept_at = kept_under(target)
    with writing():
        if any(fields.get(name, "").strip() for name in keeping.TYPED):
            keeping.keep(kept_at, fields, member_id=viewer().id)
        else:
            keeping.drop(kept_at, viewer().id)
    said = f"Draft kept, {clock_time(now())}"
    if is_fragment() or "text/html" not in request.headers.get("Accept", ""):  # the script asks, no browser on its way to a page
        return vary(Response(said, mimetype="text/html", headers={"Cache-Control": "no-store"}))
    flash(f"{said}.")
    return go(target)
