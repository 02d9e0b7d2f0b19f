"""A small board with one of everything, and the address of every route on it: what the tests over all routes share.

bo owns things (a post, a draft, comments), anna is another member, mo and max moderate (mo has hidden things and suspended nell), nina and noor have
not confirmed an address, lea may leave without being missed. A new route with a parameter that is not known here fails with what to add.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule as Route

from blog.accounts import links
from blog.accounts.models import EmailAddress, LinkPurpose
from blog.acts.models import TargetKind
from blog.clock import now
from blog.comments import writing
from blog.db import db
from blog.filters import holding, listing
from blog.filters.holding import Cause
from blog.filters.models import FilterKind, HeldKind
from blog.moderation import appeals, hiding, reporting, sanctioning
from blog.moderation.models import Case, Report
from blog.posts import publishing
from blog.posts.models import PostState
from blog.tables import metadata
from tests import factories
from tests.conftest import Board, Visitor

WORDS = "A line stated in advance is information."
REASON = "Names a client of hers, with the street."
SUBMISSION = "ABCDEFGHIJKLMNOPQRSTUVWX"

# Columns that a request may always move: when a session was last seen.
AGEING = {("login_session", "seen_at"), ("login_session", "expires_at")}
# Tables that reading may write: how far a member has read.
VISITS = {"visit"}


@dataclass
class World:
    """The ids and names that addresses are made from."""

    board: Board
    slug: str = ""
    draft_slug: str = ""
    hidden_slug: str = ""
    deleted_slug: str = ""
    quiet_slug: str = ""  # to be closed and reopened
    told_slug: str = ""  # to have its words taken out
    loud_slug: str = ""  # to be locked and slowed, and let go
    topic: str = ""
    comment: int = 0
    reply: int = 0
    leaf: int = 0
    others_leaf: int = 0
    deleted: int = 0
    hidden: int = 0
    held: int = 0
    line: int = 0
    held_too: int = 0
    held_three: int = 0
    held_slug: str = ""
    held_slug_too: str = ""
    act: int = 0
    appealed: int = 0  # an act by max, against which bo appealed
    talked_of: int = 0  # an act by mo, against which bo appealed
    cases: dict[str, int] = field(default_factory=dict)  # by what will be done from them
    report: int = 0
    verify_token: str = ""
    reset_token: str = ""
    kept: dict[str, str] = field(default_factory=dict)

    @property
    def app(self) -> Flask:
        return self.board.app

    def address(self, route: Route) -> str:
        """The path of a route on this board."""
        values = {name: self._value(route, name) for name in route.arguments}
        with self.app.test_request_context():
            built = route.build(values, append_unknown=False)
        assert built is not None
        return str(built[1])

    def _value(self, route: Route, name: str) -> Any:
        special: dict[tuple[str, str], Any] = {
            ("moderation.unhide_comment", "comment_id"): self.hidden,
            ("moderation.unhide_post", "slug"): self.hidden_slug,
            **{(f"moderation.{deed}", "slug"): self.quiet_slug for deed in ("close", "reopen")},
            **{(f"moderation.{deed}", "slug"): self.loud_slug for deed in ("lock", "unlock", "slow", "unslow")},
            **{(f"moderation.{deed}", "comment_id"): self.others_leaf for deed in ("aside", "back", "redact_comment")},
            ("moderation.redact_post", "slug"): self.told_slug,
            ("moderation.suspend", "username"): "otto",
            ("moderation.lift", "username"): "nell",
            ("comments.edit", "comment_id"): self.leaf,
            ("comments.delete", "comment_id"): self.leaf,
            ("comments.thank", "comment_id"): self.leaf,
            ("comments.restore", "comment_id"): self.deleted,
            ("posts.delete", "slug"): self.draft_slug,
            ("posts.restore", "slug"): self.deleted_slug,
            ("accounts.reset", "token"): self.reset_token,
            ("appeals.decide", "number"): self.appealed,
            ("appeals.messages", "number"): self.talked_of,
            ("filters.admit", "username"): "wim",
            ("filters.refuse", "username"): "wanda",
            ("filters.approve", "held_id"): self.held_too,
            ("filters.reject", "held_id"): self.held_three,
            ("filters.approve_post", "slug"): self.held_slug,
            ("filters.reject_post", "slug"): self.held_slug_too,
            **{(f"queue.{deed}", "number"): case for deed, case in self.cases.items()},
            ("queue.bad_faith", "report_id"): self.report,
            ("rulebook.retire", "rule_id"): 5,
        }
        usual: dict[str, Any] = {
            "rule_id": 4, "template_id": 1, "comment_id": self.comment, "username": "bo", "token": self.verify_token, "number": self.act,
            "held_id": self.held, "line_id": self.line,
            "slug": self.topic if route.rule.startswith("/topics/") else self.slug,
        }
        known = special.get((route.endpoint, name), usual.get(name))
        assert known is not None, f"tests/world.py does not know what stands for <{name}> in {route.rule}: add it to _value()."
        return known

    def form(self, route: Route) -> dict[str, Any]:
        """Fields with which an unsafe request to the route does what it is for."""
        own = {"/posts/<slug>/comments": {"parent_id": str(self.reply)}, "/moderation/hide": {"case": str(self.cases["hide"])}}
        return {**FORMS.get(route.rule, {}), **own.get(route.rule, {})}

    def token(self, who: Visitor) -> str:
        """The visit's token, asked for once."""
        key = str(who.id)
        if not who.viewer.is_member:
            return who.token()
        if key not in self.kept:
            self.kept[key] = who.token()
            assert self.kept[key]
        return self.kept[key]


# Fields of every form, by the route's rule: what a person would send.
FORMS: dict[str, dict[str, Any]] = {
    "/posts/new": {"title": "Two chairs", "body": WORDS, "topics": "Coaching"},
    "/posts/<slug>/edit": {"title": "Three chairs", "body": WORDS, "version": "1"},
    "/posts/<slug>/delete": {},
    "/posts/<slug>/restore": {},
    "/posts/<slug>/thank": {},
    "/posts/<slug>/read": {},
    "/posts/<slug>/comments": {"body": WORDS, "submission_id": SUBMISSION},
    "/comments/<key:comment_id>/edit": {"body": WORDS + " Always.", "version": "1"},
    "/comments/<key:comment_id>/delete": {},
    "/comments/<key:comment_id>/restore": {},
    "/comments/<key:comment_id>/thank": {},
    "/comments/<key:comment_id>/hide": {"rule": "2", "reason": REASON},
    "/comments/<key:comment_id>/unhide": {"reason": REASON},
    "/held/<key:held_id>/edit": {"body": WORDS + " Still.", "version": "1"},
    "/held/<key:held_id>/withdraw": {},
    "/members/<username>/admit": {},
    "/members/<username>/refuse": {"rule": "2", "reason": REASON},
    "/settings/invitations": {},
    "/moderation/filters": {"kind": "word", "pattern": "free money", "told": "This board is careful about money.", "rule": "2"},
    "/moderation/filters/<key:line_id>/retire": {},
    "/moderation/held/<key:held_id>/approve": {},
    "/moderation/held/<key:held_id>/reject": {"rule": "2", "reason": REASON},
    "/posts/<slug>/approve": {},
    "/posts/<slug>/reject": {"rule": "2", "reason": REASON},
    "/comments/<key:comment_id>/report": {"rule": "3", "note": "It names my sister."},
    "/posts/<slug>/report": {"rule": "3", "note": "It names my sister."},
    "/posts/<slug>/hide": {"rule": "2", "reason": REASON},
    "/posts/<slug>/unhide": {"reason": REASON},
    "/moderation/cases/<key:number>/claim": {},
    "/moderation/cases/<key:number>/pass": {},
    "/moderation/cases/<key:number>/hide": {"rule": "2", "reason": REASON},
    "/moderation/cases/<key:number>/warn": {"rule": "2", "reason": REASON},
    "/moderation/cases/<key:number>/dismiss": {"rule": "3", "reason": REASON},
    "/moderation/cases/<key:number>/reports/<key:report_id>/bad-faith": {"rule": "3", "reason": REASON},
    "/moderation/hide": {"rule": "2", "reason": REASON},
    "/moderation/undo": {},
    "/moderation/members/<username>": {"body": WORDS},
    "/moderation/reasons": {"title": "Names a client", "reason": REASON},
    "/moderation/reasons/<key:template_id>/retire": {},
    "/moderation/rules": {"title": "Answer what was asked", "text": WORDS},
    "/moderation/rules/<key:rule_id>": {"title": "No selling here", "text": WORDS},
    "/moderation/rules/<key:rule_id>/retire": {},
    "/posts/<slug>/lock": {"rule": "2", "reason": REASON},
    "/posts/<slug>/unlock": {"reason": REASON},
    "/posts/<slug>/close": {"rule": "2", "reason": REASON},
    "/posts/<slug>/reopen": {"reason": REASON},
    "/posts/<slug>/slow": {"rule": "2", "reason": REASON, "seconds": "60"},
    "/posts/<slug>/unslow": {"reason": REASON},
    "/comments/<key:comment_id>/aside": {"rule": "2", "reason": REASON},
    "/comments/<key:comment_id>/back": {"reason": REASON},
    "/comments/<key:comment_id>/redact": {"rule": "2", "reason": REASON},
    "/posts/<slug>/redact": {"rule": "2", "reason": REASON},
    "/acts/<key:number>/redact": {"rule": "2", "reason": REASON},
    "/members/<username>/warn": {"rule": "2", "reason": REASON},
    "/members/<username>/suspend": {"rule": "2", "reason": REASON, "until": f"{now() + timedelta(days=7):%Y-%m-%d}"},
    "/members/<username>/lift": {"reason": REASON},
    "/login": {"username": "bo", "password": "a password that nobody has"},
    "/register": {"username": "newcomer", "email": "newcomer@example.org", "password": "nine green bottles hang"},
    "/logout": {},
    "/verify": {"email": "other@example.org"},
    "/verify/<token>": {},
    "/forgot": {"email": "bo@example.org"},
    "/reset/<token>": {"password": "nine green bottles hang"},
    "/notices": {},
    "/acts/<key:number>/appeal": {"statement": WORDS},
    "/acts/<key:number>/messages": {"body": WORDS},
    "/acts/<key:number>/decide": {"outcome": "uphold", "reason": REASON},
    "/drafts": {"target": "/posts/new", "body": WORDS},
    "/settings/data": {"action": "export"},
    "/settings/profile": {"display_name": "Bo of the hill", "about": WORDS},
    "/settings/security": {"end": "others"},
}


def build(board: Board) -> World:
    """Fill the board. The members are signed in; call once per test."""
    bo, mo, noor = board.bo, board.mo, board.member("noor", verified=False)
    assert board.anna.id and board.max.id and board.ad.id and board.member("nina", verified=False).id
    nell = board.member("nell")
    assert board.member("otto").id and board.member("lea").id
    world = World(board)
    with board.app.app_context():
        posts = [
            factories.make_post(bo.id, "The kitchen table", published_days_ago=3),
            factories.make_post(bo.id, "A hidden matter", published_days_ago=2),
            factories.make_post(bo.id, "Not yet", state=PostState.DRAFT),
            factories.make_post(bo.id, "Taken back", published_days_ago=1),
            factories.make_post(bo.id, "A quiet matter", published_days_ago=5),
            factories.make_post(bo.id, "A loud matter", published_days_ago=4),
            factories.make_post(bo.id, "A told matter", published_days_ago=6),
        ]
        post, hidden, draft, deleted, quiet, loud, told = ((post.id, post.slug) for post in posts)
        world.slug, world.hidden_slug, world.draft_slug, world.deleted_slug = post[1], hidden[1], draft[1], deleted[1]
        world.quiet_slug, world.loud_slug, world.told_slug = quiet[1], loud[1], told[1]
        world.topic = "coaching"
        words = writing.words(WORDS)
        world.comment = writing.add(post[0], bo.viewer, words)
        world.reply = writing.add(post[0], board.anna.viewer, words, parent_id=world.comment)
        world.leaf = writing.add(post[0], bo.viewer, words, parent_id=world.reply)
        world.others_leaf = writing.add(post[0], board.anna.viewer, words)
        world.hidden = writing.add(post[0], bo.viewer, writing.words("Mrs Marple of Mill Lane owes her."))
        writing.add(deleted[0], board.anna.viewer, words)
        publishing.delete(deleted[0], bo.viewer)
        world.deleted = writing.add(post[0], bo.viewer, words)
        writing.delete(world.deleted, bo.viewer)
        told = {"hide": (TargetKind.COMMENT, writing.add(post[0], board.anna.viewer, words)), "dismiss": (TargetKind.COMMENT, world.leaf),
                "bad_faith": (TargetKind.POST, post[0]), "claim": (TargetKind.COMMENT, world.comment), "warn": (TargetKind.COMMENT, world.reply)}
        for deed, target in told.items():
            reporting.report(target, board.member("nina", verified=False).viewer, rule_id=3, note="Not about the article.")
            world.cases[deed] = db.session.execute(select(Case.id).order_by(Case.id.desc()).limit(1)).scalar_one()
        world.cases["show"] = world.cases["pass_on"] = world.cases["claim"]
        world.report = db.session.execute(select(Report.id).where(Report.case_id == world.cases["bad_faith"])).scalar_one()
        world.act = hiding.hide_comment(world.hidden, mo.viewer, rule_id=2, reason=REASON).number
        world.talked_of = hiding.hide_post(hidden[0], mo.viewer, rule_id=2, reason=REASON).number
        sanctioning.suspend(nell.id, mo.viewer, rule_id=2, reason=REASON, until=now() + timedelta(days=7))
        contested = writing.add(post[0], bo.viewer, writing.words("Mrs Marple of Mill Lane paid her."), parent_id=world.others_leaf)
        world.appealed = hiding.hide_comment(contested, board.max.viewer, rule_id=2, reason=REASON).number
        for number in (world.talked_of, world.appealed):
            appeals.file(number, bo.id, "She is a person in a novel, and not a client.")
        because = Cause("Word list, line 1", 4, "This board is careful about offers.")
        world.held, world.held_too, world.held_three = (
            holding.hold(bo.viewer, because, HeldKind.COMMENT, post_id=post[0], source=WORDS, html=f"<p>{WORDS}</p>") for _ in range(3))
        for name in ("wim", "wanda"):
            factories.make_member(name).is_waiting = True
        world.line = listing.add(mo.viewer, kind=FilterKind.WORD, pattern="lottery", sentence="This board is careful about offers.", rule_id=4)
        for name in ("held_slug", "held_slug_too"):
            waits = factories.make_post(bo.id, f"Waiting {name}", state=PostState.HELD)
            holding.hold_post(bo.viewer, because, waits.id)
            setattr(world, name, waits.slug)
        email_id = db.session.execute(select(EmailAddress.id).where(EmailAddress.member_id == noor.id)).scalar_one()
        world.verify_token = links.token_of(links.issue(LinkPurpose.VERIFY, noor.id, email_id=email_id))
        world.reset_token = links.token_of(links.issue(LinkPurpose.RESET, bo.id))
        db.session.commit()
    mails = board.app.config["PARLEY"].instance_path / "mail"
    mails.mkdir(exist_ok=True)
    for old in mails.glob("*.eml"):  # of another test's board, whose numbers began at 1 too
        old.unlink()
    (mails / "20260504T120000.000000Z-1.eml").write_bytes(b"To: bo@example.org\nSubject: A letter\nDate: Mon, 04 May 2026 12:00:00 +0000\n\nDear Bo.\n")
    return world


def routes(app: Flask, method: str = "") -> list[Route]:
    """All routes of the application, or those of one method, in order of their rules."""
    found = [route for route in app.url_map.iter_rules() if not method or method in (route.methods or ())]
    return sorted(found, key=lambda route: (route.rule, route.endpoint))


def written(app: Flask, besides: set[str] = frozenset()) -> dict[str, tuple[int, str]]:  # type: ignore[assignment]
    """Number of rows and a hash of all of them, by table: what must not change when nothing is to be written."""
    found = {}
    with app.app_context(), db.engine.connect() as connection:
        for table in metadata.sorted_tables:
            if table.name in besides:
                continue
            columns = [column for column in table.columns if (table.name, column.name) not in AGEING]
            rows = sorted(repr(tuple(row)) for row in connection.execute(select(*columns)))
            found[table.name] = len(rows), hashlib.sha256("\n".join(rows).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return found


