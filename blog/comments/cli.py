"""Commands of comments: `threads verify`."""

import sys

import click
from flask import Flask
from flask.cli import AppGroup

from blog.comments import checking

threads = AppGroup("threads", help="The threads of all posts.")


@threads.command("verify")
def verify() -> None:
    """Recompute the counters of all threads from their rows and tell what differs. Exits 1 if anything does."""
    found = 0
    for difference in checking.differences():
        click.echo(str(difference))
        found += 1
    click.echo(f"{found} differences." if found else "Every counter agrees with the rows.")
    sys.exit(1 if found else 0)


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(threads)
