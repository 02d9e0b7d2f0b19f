"""create_app(): settings, extensions, what every request passes, blueprints, commands, in this order and nothing else."""

import logging
import sys
from typing import Any

from flask import Flask, g
from werkzeug.middleware.proxy_fix import ProxyFix

from blog import assets, config, dates, gate, limiting, refusals
from blog.accounts import cli as accounts_cli
from blog.accounts import jobs as accounts_jobs
from blog.accounts import routes as accounts
from blog.acts import routes as acts
from blog.comments import cli as comments_cli
from blog.comments import drawing
from blog.comments import jobs as comments_jobs
from blog.comments import routes as comments
from blog.db import db, prepare
from blog.demo import cli as demo_cli
from blog.drafts import jobs as drafts_jobs
from blog.drafts import routes as drafts
from blog.extensions import login, migrate
from blog.feeds import routes as feeds
from blog.filters import jobs as filters_jobs
from blog.filters import routes as filters
from blog.jobs import cli as jobs_cli
from blog.mail import jobs as mail_jobs
from blog.mail import routes as mail
from blog.members import routes as members
from blog.moderation import jobs as moderation_jobs
from blog.moderation.routes import acting, appeals, public_log, queue, reports, rulebook, standing
from blog.moderation.waiting import waiting
from blog.notices import routes as notices
from blog.operations import cli as operations_cli
from blog.operations import routes as operations
from blog.posts import jobs as posts_jobs
from blog.posts import routes as posts
from blog.topics import routes as topics
from blog.transfer import routes as transfer
from blog.viewer import STRANGER, viewer
from blog.web import KeyConverter

HTMX = "vendor/htmx.min.js"

BLUEPRINTS = (
    operations.bp, accounts.bp, posts.bp, drafts.bp, comments.bp, acting.bp, queue.bp, reports.bp, standing.bp, rulebook.bp, appeals.bp, public_log.bp,
    filters.bp, acts.bp, notices.bp, topics.bp, members.bp, feeds.bp, transfer.bp, mail.bp,
)


# What does the work of the queue registers itself when it is read.
JOBS = (accounts_jobs, comments_jobs, drafts_jobs, filters_jobs, mail_jobs, moderation_jobs, posts_jobs)


def create_app(settings: config.Settings | None = None) -> Flask:
    """The application. Settings come from the environment unless given (tests). A bad one ends the start with a sentence."""
    given = settings
    try:
        settings = config.with_kept_key(given or config.load())
        config.ready_folder(settings.instance_path)
    except config.BadSetting as bad:
        if given is not None:
            raise
        sys.exit(f"Parley can’t start: {bad.sentence}")
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    app = Flask("blog", root_path=str(config.ROOT), instance_path=settings.instance, static_folder=None)
    app.config.from_mapping(config.flask_config(settings))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.url_map.converters["key"] = KeyConverter

    db.init_app(app)
    with app.app_context():
        prepare(db.engine)
    migrate.init_app(app, db, directory=str(config.ROOT / "migrations"), render_as_batch=True)
    login.init_app(app)
    login.anonymous_user = lambda: STRANGER
    limiting.register(app, settings)

    gate.register(app)
    refusals.register(app)
    dates.register(app)
    app.jinja_env.globals.update(htmx_file=HTMX, gap=drawing.gap)
    app.context_processor(page_facts)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    for commands in (accounts_cli, comments_cli, demo_cli, jobs_cli, operations_cli):
        commands.register(app)

    assets.register(app, settings)
    if settings.proxies:
        n = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]
    return app


def page_facts() -> dict[str, Any]:
    """What every template knows: who is looking, the board's settings, what waits for a moderator. Dates from here on stand in the viewer's zone."""
    looking = viewer()
    g.zone = looking.zone
    return {"viewer": looking, "board": config.settings(), "waiting": waiting(looking)}
