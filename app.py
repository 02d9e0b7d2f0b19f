"""The door for `flask run`, `flask --app app ...` and the production server: nothing but the application."""

from blog.factory import create_app

app = create_app()
