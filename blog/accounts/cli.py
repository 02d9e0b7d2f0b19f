"""Commands of accounts: members made and given roles from the shell. The first administrator of a board is made so."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask
from flask.cli import AppGroup

from blog.accounts import recovering, registering
from blog.accounts.models import Role
from blog.config import settings
from blog.dates import iso
from blog.db import writing
from blog.errors import Refused
from blog.operations import checking

members = AppGroup("members", help="Make members, give roles.")

ROLES = click.Choice([role.word for role in Role])


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(members)


@contextmanager
def saying_refusals() -> Iterator[None]:
    """A refused deed ends the command with its sentence."""
    try:
        yield
    except (Refused, checking.CannotStart) as refusal:
        raise click.ClickException(refusal.sentence) from None


@members.command("create")
@click.argument("name")
@click.argument("email")
@click.option("--role", type=ROLES, default=Role.MEMBER.word, show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input; without it a link to set one is printed.")
@click.option("--display-name", default="", help="The name that others see; else the username.")
def create(name: str, email: str, role: str, password_stdin: bool, display_name: str) -> None:
    """Make a member NAME whose address EMAIL counts as confirmed."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    if password == "":
        raise click.ClickException("No password came on standard input.")
    link = ""
    with saying_refusals():
        checking.ground()  # the first administrator may be made before the first start
    with saying_refusals(), writing():
        member = registering.create_verified(name, email, Role[role.upper()], password, display_name)
        if password is None:
            link = recovering.link_by_hand(member)
    click.echo(f"{name} is {role} now.")
    if link:
        click.echo(f"Set the password here, once, within 3 days:\n{settings().public_url}{link}")


@members.command("role")
@click.argument("name")
@click.argument("role", type=ROLES)
def give_role(name: str, role: str) -> None:
    """Give the member NAME another role. It holds from their next page on."""
    with saying_refusals(), writing():
        username = registering.give_role(name, Role[role.upper()])
    click.echo(f"{username} is {role} now.")


@members.command("list")
def list_members() -> None:
    """Show every member: name, role, since when, whether the address is confirmed or they have left."""
    for member in registering.everybody():
        state = "left" if member.left_at else "confirmed" if member.verified_at else "not confirmed"
        click.echo(f"{member.username}  {member.role.word}  {iso(member.created_at)}  {state}")
