"""Who is asking: a value with everything a ruling needs, loaded once per request."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask_login import current_user

from blog.accounts.models import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A member, or a stranger (`id` 0). Also what Flask-Login calls the user; its id is the session row's token."""

    id: int = 0
    username: str = ""
    display_name: str = ""
    role: Role = Role.MEMBER
    verified: bool = False
    joined_at: datetime | None = None
    theme: str = "system"
    zone: str | None = None
    is_waiting: bool = False  # registered, and not admitted by a moderator yet
    refusal: int = 0  # number of the act by which a moderator did not admit them, 0 for none
    suspension: int = 0  # number of the act that suspends them, 0 for none
    suspended_until: datetime | None = None  # None with a suspension: until it is lifted
    unseen: int = 0  # notices
    session_id: int = 0  # the login_session row
    token: str = ""  # what the cookie holds; never shown
    prolonged: bool = False  # this very request moved the end of the session: its cookie must go out anew, else it ends first

    @property
    def is_member(self) -> bool:
        return self.id != 0

    @property
    def is_moderator(self) -> bool:
        return self.is_member and self.role >= Role.MODERATOR

    @property
    def is_administrator(self) -> bool:
        return self.is_member and self.role >= Role.ADMINISTRATOR

    # What Flask-Login asks of a user.
    @property
    def is_authenticated(self) -> bool:
        return self.is_member

    @property
    def is_active(self) -> bool:
        return self.is_member

    @property
    def is_anonymous(self) -> bool:
        return not self.is_member

    def get_id(self) -> str:
        return self.token


STRANGER = Viewer()


def viewer() -> Viewer:
    """Who sends this request."""
    return cast(Viewer, current_user._get_current_object())
