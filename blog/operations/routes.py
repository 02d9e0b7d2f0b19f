"""Doors of operations: what machines ask. Any Host, no session, no page."""

from ipaddress import ip_address

from flask import Blueprint, Response, request

from blog.errors import NotFound
from blog.operations import health, metrics
from blog.web import open_to_all

bp = Blueprint("operations", __name__)

# With one of these, somebody asks through a proxy: from wherever the proxy is reached.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")


@bp.get("/healthz")
@open_to_all
def healthz() -> Response:
    """This process lives. No database."""
    return _plain("alive\n")


@bp.get("/readyz")
@open_to_all
def readyz() -> Response:
    """The database answers and has this release's schema; else 503 and the reason."""
    trouble = health.trouble()
    return _plain(f"{trouble}\n", 503) if trouble else _plain("ready\n")


@bp.get("/metrics")
@open_to_all
def figures() -> Response:
    """Figures for the operator's own network; for everybody else there is nothing here."""
    if not _is_near():
        raise NotFound()
    return _plain(metrics.exposition())


def _is_near() -> bool:
    """Whether the socket's other end is this machine or a private address, and asks for itself."""
    if any(name in request.headers for name in FORWARDED):
        return False
    # What a trusted proxy says has replaced the socket's own address in the environ; the original is kept beside it.
    environ = request.environ.get("werkzeug.proxy_fix.orig") or request.environ
    try:
        address = ip_address(environ.get("REMOTE_ADDR") or "")
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_private


def _plain(text: str, status: int = 200) -> Response:
    response = Response(text, status, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    if status == 503:
        response.headers["Retry-After"] = "5"
    return response
