"""Doors of accounts."""

from flask import Blueprint

from blog.accounts import sessions
from blog.extensions import login
from blog.viewer import Viewer

bp = Blueprint("accounts", __name__)


@login.user_loader
def load_viewer(token: str) -> Viewer | None:
    return sessions.load(token)
