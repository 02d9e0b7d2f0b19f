"""The htmx grammar: one template for page and fragment, and who gets which. Only this module looks at HX-Request."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Response, current_app, make_response, redirect, render_template, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.routing import IntegerConverter
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response as WerkzeugResponse

from blog.db import writing

log = logging.getLogger(__name__)

View = Callable[..., Any]
R = TypeVar("R", bound=WerkzeugResponse)
V = TypeVar("V", bound=View)


class KeyConverter(IntegerConverter):
    """A row's id in an address: past what a database can hold there is nothing (404, not an overflow)."""

    regex = "[0-9]+"  # the digits of other scripts would make a second address of the same row

    def __init__(self, map: Any, **options: Any) -> None:
        super().__init__(map, min=1, max=2**63 - 1, **options)


def is_fragment() -> bool:
    """Whether htmx asks, which wants a piece of the page."""
    return request.headers.get("HX-Request") == "true"


def page_or_fragment(page: str, fragment: str, status: int = 200, **context: Any) -> Response:
    """The whole page, or under htmx the piece that stands in it."""
    response = make_response(render_template(fragment if is_fragment() else page, **context), status)
    return vary(response)


def asked_from() -> str:
    """Path of the page that htmx asks from, "" for a browser without script."""
    return urlsplit(request.headers.get("HX-Current-URL", "")).path if is_fragment() else ""


def fragment_or_redirect(fragment: str, to: str, status: int = 200, **context: Any) -> WerkzeugResponse:
    """After a deed: under htmx the piece that changed, else a 303 to the page that shows it."""
    if is_fragment():
        return vary(make_response(render_template(fragment, **context), status))
    return vary(redirect(to, 303))


def go(to: str) -> WerkzeugResponse:
    """Lead the browser to another page: a 303, or under htmx the header that makes it load that page."""
    to = iri_to_uri(to)  # a slug holds letters of any script, a header does not
    if is_fragment():
        response: WerkzeugResponse = make_response("", 200)
        response.headers["HX-Redirect"] = to
        return vary(response)
    return vary(redirect(to, 303))


def vary(response: R) -> R:
    """Say that the answer depends on HX-Request; fragments are never stored."""
    response.vary.add("HX-Request")
    if is_fragment():
        response.headers["Cache-Control"] = "no-store"
    return response


def on_top(response: Response) -> Response:
    """A refusal without a form of its own: under htmx it goes to the page's message line, and what was pressed stays for the next press."""
    if is_fragment():
        response.headers["HX-Retarget"] = "#flash"
        response.headers["HX-Reswap"] = "innerHTML"
    return vary(response)


def instead(response: R, target: str) -> R:
    """Under htmx the answer replaces the element of that id, around the form that was sent; a refusal replaces the form alone."""
    if is_fragment():
        response.headers["HX-Retarget"] = f"#{target}"
        response.headers["HX-Reswap"] = "outerHTML"
    return response


def own_path(raw: str | None, otherwise: str = "/") -> str:
    """`raw` if it is a path on this board (for `next`), else `otherwise`. Whole address parsed, nothing guessed."""
    if not raw or len(raw) > 2000 or not raw.startswith("/") or raw.startswith("//"):
        return otherwise
    if "\\" in raw or any(ord(character) < 0x21 or ord(character) == 0x7F for character in raw):
        return otherwise
    parts = urlsplit(raw)
    return otherwise if parts.scheme or parts.netloc else raw


def after_answer(response: WerkzeugResponse, deed: Callable[[], None], what: str) -> None:
    """Do this in a transaction of its own when the answer has gone out: what reading itself writes. Best effort; `what` was not noted, says the
    log, where the database could not take it."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def run() -> None:
        with app.app_context():
            try:
                with writing():
                    deed()
            except SQLAlchemyError:
                log.warning("%s was not noted", what, exc_info=True)

    response.call_on_close(run)


def open_to_all(view: V) -> V:
    """Mark a view that strangers may call. All others lead through sign-in."""
    view.open_to_all = True  # type: ignore[attr-defined]
    return view


def open_by_key(view: V) -> V:
    """Mark a view that strangers may call with the key of a signed link (`?key=`), which the view itself examines."""
    view.open_by_key = True  # type: ignore[attr-defined]
    return view


def unshared(response: R) -> R:
    """Keep an answer that a key opened out of every cache. Its address goes to no other site anyway (Referrer-Policy same-origin, gate.py);
    no-referrer would make browsers send its forms with the Origin "null", which the gate takes for another site's."""
    response.headers["Cache-Control"] = "no-store"
    return response
