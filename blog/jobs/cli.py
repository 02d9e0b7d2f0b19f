"""Commands of jobs."""

import signal
import threading
from types import FrameType

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from blog.dates import iso
from blog.jobs import queue, worker
from blog.jobs.models import Job

jobs = AppGroup("jobs", help="Work that is done after the answer: mails, chores of the night.")


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(jobs)


@jobs.command("run")
def run() -> None:
    """Do jobs in this process until it is told to stop (the server has a worker of its own)."""
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    worker.work(current_app._get_current_object(), stop)  # type: ignore[attr-defined]


@jobs.command("list")
@click.option("--all", "everything", is_flag=True, help="Show the jobs that are done as well.")
def list_jobs(everything: bool) -> None:
    """Show what waits and what was given up, newest first."""
    for job in queue.listed(everything):
        click.echo(f"{job.id}  {iso(job.run_at)}  {_state(job)}  {job.kind}  attempts {job.attempts}{'  ' + job.error if job.error else ''}")


def _state(job: Job) -> str:
    if job.failed_at:
        return "given up"
    return "done" if job.done_at else "waits"
