"""Flask extensions: made here, bound in the factory."""

from flask_login import LoginManager
from flask_migrate import Migrate

from blog.db import db

login = LoginManager()
login.session_protection = None  # our session rows are revocable; a changed address or browser version ends nothing
migrate = Migrate()

__all__ = ["db", "login", "migrate"]
