"""What every request passes, in one place: host, junk encodings, sizes, token and origin on the way in; headers on the way out."""

import re
from urllib.parse import unquote_to_bytes, urlsplit

from flask import Flask, Response, g, request, session
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms import ValidationError

from blog.config import settings
from blog.errors import BadToken, Malformed, Refused, TooFast, TooLarge

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# A name or an address, and a port.
HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")

# Addresses that machines ask, by whatever name they know the host.
ANY_HOST = frozenset({"/healthz", "/readyz", "/metrics"})

# Only an article may be long; everything else fits into this.
FORM_BYTES = 512 * 1024
POST_FORM_BYTES = 2 * 1024 * 1024
LONG_FORMS = frozenset({"posts.new", "posts.edit"})
# Fields of one form. Half a megabyte could be 250,000 of them, and a page that gives them back a hundred bytes for each.
MOST_FIELDS = 100

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
CLOSED_FEATURES = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"


def security_headers(https: bool) -> dict[str, str]:
    """The headers that every answer carries, static files too."""
    headers = {
        "Content-Security-Policy": CSP,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": CLOSED_FEATURES,
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Parley": "1",  # our own answer, not a proxy's: the page's script swaps nothing without it
    }
    if https:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def register(app: Flask) -> None:
    """Put the gate in front of every view."""
    app.before_request(check_host)
    app.before_request(check_encoding)
    app.before_request(check_token)
    app.after_request(add_headers)
    app.jinja_env.globals["csrf_token"] = generate_csrf


def check_host() -> None:
    """Raises Malformed for a Host that is not ours: links and origins are judged by it."""
    if request.path in ANY_HOST:
        return
    if host_name(request.headers.get("Host", "")) not in settings().accepted_hosts:
        raise Malformed("This address does not belong to the board. The operator can add it to PARLEY_HOSTS.")


def host_name(host: str) -> str:
    """The name in a Host header, without port; "" for one that can't be read."""
    if not HOST.fullmatch(host):
        return ""
    try:
        return (urlsplit("//" + host).hostname or "").lower()
    except ValueError:
        return ""


def check_encoding() -> None:
    """Refuse what no text can hold: NUL, bytes that are not UTF-8. A form gets its text back, cleaned."""
    if "\x00" in request.path or "\ufffd" in request.path:
        raise Malformed("That address holds characters that no address of this board has.")
    query = request.query_string
    if query and _is_junk(query):
        raise Malformed("That address holds characters that no address of this board has.")
    if request.method in SAFE_METHODS:
        return
    if request.endpoint not in LONG_FORMS:
        request.max_content_length = FORM_BYTES
        request.max_form_memory_size = FORM_BYTES
    raw = request.get_data(cache=True)
    encoded = request.mimetype == "application/x-www-form-urlencoded"
    if encoded and raw.count(b"&") >= MOST_FIELDS:
        raise TooLarge(f"No form of this board has more than {MOST_FIELDS} fields. Go back and use the page’s own.")
    if encoded and not _is_utf8(raw):
        # Werkzeug's reader of forms gives up on bytes that were not even escaped, and all that was typed would be gone.
        request._cached_data = raw.decode("utf-8", "ignore").encode()
    if _is_junk(raw) if encoded else request.mimetype == "multipart/form-data" and (b"\x00" in raw or not _is_utf8(raw)):
        hold(Malformed("The text holds bytes that are no characters (or a NUL). They are taken out below; look it over and send it again."))


def _is_junk(encoded: bytes) -> bool:
    plain = unquote_to_bytes(encoded)
    return b"\x00" in plain or not _is_utf8(plain)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def hold(refusal: Refused) -> None:
    """Keep a refusal until a form can show it beside its text; `db.writing` and `BoardForm.check` raise it."""
    if g.get("refusal") is None:
        g.refusal = refusal


def check_token() -> None:
    """An unsafe request must come from our own pages (where the browser says so) and carry the visit's token."""
    if request.method in SAFE_METHODS:
        return
    if is_foreign():
        g.foreign = True
        hold(BadToken("This was sent from another site, so nothing was changed. If it was you, send it again from here."))
        return
    token = request.form.get("csrf_token") or request.headers.get("X-CSRFToken", "")
    try:
        validate_csrf(token)
    except ValidationError:
        g.token_missed = True
        hold(BadToken("This page is from an earlier visit, so nothing was done. Nothing you typed is lost: press the button once more."))


def is_foreign() -> bool:
    """Whether the browser says that another site sends this. Silence is not held against anybody: then the token decides."""
    origin = request.headers.get("Origin")
    if origin is not None:
        return not _is_own(origin)
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in {"same-origin", "none"}
    referrer = request.headers.get("Referer")
    return referrer is not None and not _is_own(referrer)


def _is_own(address: str) -> bool:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return False
    own = urlsplit(settings().public_url)
    if parts.hostname == own.hostname and (port or _usual(parts.scheme)) == (own.port or _usual(own.scheme)):
        return True
    return parts.netloc.lower() == request.host.lower()


def _usual(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def add_headers(response: Response) -> Response:
    """Security headers, and how long an answer may be kept: a reader's page is asked for each time, so that a hide holds at once."""
    for name, value in security_headers(settings().is_https).items():
        response.headers.setdefault(name, value)
    held = g.get("held")
    if isinstance(held, TooFast):
        response.headers["Retry-After"] = str(held.seconds)
    if "Cache-Control" not in response.headers:
        if response.status_code >= 400 or request.method not in SAFE_METHODS:
            response.headers["Cache-Control"] = "no-store"
        else:
            response.headers["Cache-Control"] = "private, no-cache" if session else "public, no-cache"
    return response
