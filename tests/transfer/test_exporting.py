"""A member's file: complete, theirs alone, of one moment, at a price that does not rise with what they wrote."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from blog.accounts import sessions
from blog.accounts.models import EmailAddress, LoginSession, Member
from blog.acts.models import Act, TargetKind
from blog.clock import now
from blog.comments import thanking
from blog.comments import writing as comments
from blog.comments.models import Comment, CommentRevision, Thank
from blog.db import at_one_moment, db, writing
from blog.drafts import keeping
from blog.drafts.models import Draft
from blog.filters import admitting, holding
from blog.filters.holding import Cause
from blog.filters.models import HeldKind, HeldText, Invitation
from blog.moderation import appeals, hiding, redacting, reporting, sanctioning, standing
from blog.moderation.models import Appeal, AppealMessage, MemberNote, Report
from blog.notices.models import Notice
from blog.posts import publishing, revising
from blog.posts.models import Post, PostRevision, PostState, PostThank
from blog.transfer import exporting
from tests.accounts.postbox import having
from tests.conftest import Board, Visitor, counted
from tests.factories import make_member, make_post

# Stands in everything that others write where bo must not read it.
OTHERS = "ptarmigan"
REASON = "Names a client of hers, with the street."


@pytest.fixture
def full(app: Flask, board: Board) -> Board:
    """bo has one of everything, anna and the moderators write around it."""
    anna, bo, mo, max_ = board.anna.viewer, board.bo.viewer, board.mo.viewer, board.max.viewer
    with app.app_context():
        own, theirs = make_post(bo.id, "My table", topics=("Coaching", "Home")).id, make_post(anna.id, f"A {OTHERS}", f"About a {OTHERS}.", topics=()).id
        make_post(bo.id, "Not yet", state=PostState.DRAFT)
        gone = make_post(bo.id, "Taken down", "Words that were taken down.").id
        hidden_post = make_post(bo.id, "Out of sight", "Words of a hidden post.").id
        with writing():
            revising.edit(own, bo, title="My own table", source="Other words of mine.")
            publishing.delete(gone, bo)
            first = comments.add(theirs, bo, comments.words("My first words."))
            deleted = comments.add(theirs, bo, comments.words("Words that I deleted."))
            comments.delete(deleted, bo)
            hidden = comments.add(theirs, bo, comments.words("Words that were hidden."))
            told = comments.add(theirs, bo, comments.words("Words that nobody may keep."))
            comments.edit(first, bo, comments.words("My second words."), version=1)
            answer = comments.add(theirs, anna, comments.words(f"No, a {OTHERS}."), parent_id=first)
            comments.add(own, anna, comments.words(f"Another {OTHERS}."))
            thanking.thank_comment(answer, bo)
            thanking.thank_post(theirs, bo)
            keeping.keep("/posts/new", {"title": "Half", "body": "Half a thought of mine"}, member_id=bo.id)
            keeping.keep("/posts/new", {"body": f"A {OTHERS} again"}, member_id=anna.id)
            holding.hold(bo, Cause("Word list, line 1", 4, "This board is careful about offers."), HeldKind.COMMENT, post_id=theirs, source="Mine, held.",
                         html="<p>Mine, held.</p>")
            holding.hold(anna, Cause("Word list, line 1", 4, "This board is careful."), HeldKind.COMMENT, post_id=own, source=f"Held {OTHERS}.",
                         html=f"<p>Held {OTHERS}.</p>")
            admitting.invite(bo)
        with writing():
            reporting.report((TargetKind.COMMENT, answer), bo, rule_id=3, note="It names my sister.")
            reporting.report((TargetKind.COMMENT, first), anna, rule_id=3, note=f"He is a {OTHERS}.")
            hiding.hide_comment(answer, mo, rule_id=3, reason="It names a person’s sister.")
        with writing():
            act = hiding.hide_comment(hidden, mo, rule_id=2, reason=REASON)
            hiding.hide_post(hidden_post, mo, rule_id=2, reason=REASON)
            redacting.redact_comment(told, mo, rule_id=2, reason=REASON)
            appeals.file(act.number, bo.id, "She is a person in a novel.")
            appeals.say(act.number, max_, 0, "Which novel is it?")
            appeals.say(act.number, bo, bo.id, "The one about the fox.")
        with writing():
            standing.note(bo.id, mo, "Answers politely.")
            standing.note(anna.id, mo, f"Writes about the {OTHERS}.")
    return board


def ask(who: Visitor) -> Any:
    return who.post("/settings/data", {"action": "export"})


def file_of(who: Visitor) -> dict[str, Any]:
    answer = ask(who)
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(answer.data)
    return found


def test_the_file_is_one_that_is_saved_and_kept_nowhere_else(full: Board) -> None:
    answer = ask(full.bo)
    assert answer.mimetype == "application/json"
    assert answer.headers["Content-Disposition"] == f"attachment; filename=parley-bo-{now():%Y-%m-%d}.json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert int(answer.headers["Content-Length"]) == len(answer.data)


# Each list of the file, and the rows that it must have one entry for.
ROWS: dict[str, Any] = {
    "addresses": (EmailAddress, EmailAddress.member_id), "sessions": (LoginSession, LoginSession.member_id), "posts": (Post, Post.author_id),
    "comments": (Comment, Comment.author_id), "drafts": (Draft, Draft.member_id), "held_texts": (HeldText, HeldText.author_id),
    "thanked_comments": (Thank, Thank.member_id), "thanked_posts": (PostThank, PostThank.member_id), "notices": (Notice, Notice.member_id),
    "invitations": (Invitation, Invitation.made_by), "reports": (Report, Report.reporter_id), "acts_about_you": (Act, Act.person_id),
    "appeals": (Appeal, Appeal.person_id), "notes_about_you": (MemberNote, MemberNote.member_id),
}


def test_every_row_of_the_member_is_in_it(app: Flask, full: Board) -> None:
    found = file_of(full.bo)
    assert set(found) == {"format", "board", "made_at", "profile", *ROWS}
    with app.app_context():
        for name, (table, owner) in ROWS.items():
            kept = db.session.execute(select(func.count()).select_from(table).where(owner == full.bo.id)).scalar_one()
            assert len(found[name]) == kept > 0, name
        written = db.session.execute(select(CommentRevision.source).join(Comment, Comment.id == CommentRevision.comment_id)
                                     .where(Comment.author_id == full.bo.id).order_by(Comment.id, CommentRevision.version)).scalars().all()
        assert [version["markdown"] for comment in found["comments"] for version in comment["versions"]] == list(written)
        posted = db.session.execute(select(PostRevision.source).join(Post, Post.id == PostRevision.post_id)
                                    .where(Post.author_id == full.bo.id).order_by(Post.id, PostRevision.revision)).scalars().all()
        assert [version["markdown"] for post in found["posts"] for version in post["versions"]] == list(posted)
        said = db.session.execute(select(AppealMessage.body).order_by(AppealMessage.id)).scalars().all()
        assert [message["text"] for appeal in found["appeals"] for message in appeal["messages"]] == list(said)


def test_what_it_says(full: Board) -> None:
    found = file_of(full.bo)
    assert (found["profile"]["username"], found["profile"]["display_name"], found["profile"]["role"]) == ("bo", "Bo", "member")
    assert [address["address"] for address in found["addresses"]] == ["bo@example.org"]
    assert found["sessions"][0]["user_agent"] == "test browser"
    post = found["posts"][0]
    assert (post["title"], post["topics"], len(post["versions"])) == ("My own table", ["Coaching", "Home"], 2)
    assert [post["state"] for post in found["posts"]] == ["published", "draft", "published", "published"]
    edited, deleted, hidden, told = found["comments"]
    assert [version["markdown"] for version in edited["versions"]] == ["My first words.", "My second words."]
    assert deleted["deleted_at"]
    assert [version["markdown"] for version in deleted["versions"]] == ["Words that I deleted."]
    assert hidden["hidden_by_act"]
    assert hidden["versions"][0]["markdown"] == "Words that were hidden."
    assert all(version["markdown"] == "" for version in told["versions"])
    assert "Half a thought of mine" in [draft["fields"]["body"] for draft in found["drafts"]]
    assert (found["held_texts"][0]["markdown"], found["held_texts"][0]["state"]) == ("Mine, held.", "waiting")
    report = found["reports"][0]
    assert (report["note"], report["outcome"]) == ("It names my sister.", "It was hidden.")
    act = next(act for act in found["acts_about_you"] if act["number"] == hidden["hidden_by_act"])
    assert (act["kind"], act["by"], act["reason"], act["state"]) == ("hide", "M1", REASON, "Appealed, and not decided yet.")
    assert [(message["by"], message["text"]) for message in found["appeals"][0]["messages"]] == [
        ("a moderator", "Which novel is it?"), ("you", "The one about the fox.")]
    assert found["notes_about_you"][0]["text"] == "Answers politely."
    assert {notice["kind"] for notice in found["notices"]} >= {"reply", "comment", "act", "message", "report"}


def test_nothing_of_others_is_in_it(app: Flask, full: Board) -> None:
    found = ask(full.bo).text
    assert OTHERS not in found
    for name in ("anna", "Anna", "Mo\"", "Max", "\"mo\"", "max@", "mo@"):
        assert name not in found, name
    assert OTHERS in ask(full.anna).text  # the marker is there to be found
    with app.app_context():
        for secret in db.session.execute(select(LoginSession.token_hash)).scalars().all() + db.session.execute(select(Invitation.token_hash)).scalars().all():
            assert secret not in found
    assert full.bo.viewer.token not in found


def test_notes_are_in_it_only_where_the_board_says_so(full: Board) -> None:
    with having(full.app, notes_exported=False):
        found = ask(full.bo).text
        assert "notes_about_you" not in found
        assert "Answers politely." not in found
        assert "what moderators noted about you" not in full.bo.get("/settings/data").text


def more(board: Board, count: int) -> None:
    bo = board.bo.viewer
    with board.app.app_context():
        post = make_post(board.anna.id, "Another place").id
        with writing():
            for number in range(count):
                made = comments.add(post, bo, comments.words(f"Word {number}."))
                comments.edit(made, bo, comments.words(f"Word {number} again."), version=1)
                keeping.keep(f"/comments/{made}/edit", {"body": "x"}, member_id=bo.id)


def test_its_price_does_not_rise_with_what_they_wrote(full: Board) -> None:
    seen = []
    token = full.bo.token()
    for count in (0, 60):
        more(full, count)
        with counted(full.app) as statements:
            full.bo.post("/settings/data", {"action": "export"}, token=token)
        seen.append(len(statements))
    assert seen == [exporting.STATEMENTS + 1] * 2  # and who is asking


def test_it_holds_few_rows_at_a_time(full: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists longer than what is fetched at once are whole, and each in order."""
    more(full, 30)
    whole = file_of(full.bo)
    monkeypatch.setattr(exporting, "ROWS", 7)
    monkeypatch.setattr(exporting._rows, "__defaults__", (7,))
    pieces = file_of(full.bo)
    assert {**pieces, "made_at": ""} == {**whole, "made_at": ""}
    assert [comment["id"] for comment in whole["comments"]] == sorted(comment["id"] for comment in whole["comments"])
    assert all(len(comment["versions"]) == 2 for comment in whole["comments"][-30:])


def test_it_is_of_one_moment(full: Board) -> None:
    """What is written while it is made is in none of its parts."""
    other = full.app.app_context()
    with full.app.app_context(), at_one_moment():
        before = db.session.execute(select(func.count()).select_from(Comment)).scalar_one()
        other.push()
        try:
            with writing():
                comments.add(1, full.anna.viewer, comments.words("Meanwhile."))
        finally:
            other.pop()
        assert db.session.execute(select(func.count()).select_from(Comment)).scalar_one() == before
    with full.app.app_context():
        assert db.session.execute(select(func.count()).select_from(Comment)).scalar_one() == before + 1
        if full.database == "postgresql":
            assert db.session.execute(text("SHOW transaction_isolation")).scalar_one() == "read committed"


def test_suspended_waiting_and_unconfirmed_members_get_theirs(app: Flask, board: Board) -> None:
    nina = board.member("nina", verified=False)
    bo, ad = board.bo, board.ad
    with app.app_context(), writing():
        wim = make_member("wim", verified=False)
        wim.is_waiting = True
        token = sessions.start(wim.id, "a browser")
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = token, True
    with app.app_context():
        waiting = Visitor(client, sessions.load(token))
        with writing():
            sanctioning.suspend(bo.id, ad.viewer, rule_id=2, reason=REASON)
    for who, name in ((nina, "nina"), (waiting, "wim"), (bo, "bo")):
        assert file_of(who)["profile"]["username"] == name
    assert file_of(bo)["acts_about_you"][0]["kind"] == "suspend"


def test_a_stranger_is_led_to_sign_in(board: Board) -> None:
    assert ask(board.cy).status_code == 303


def test_it_can_be_asked_for_so_often(board: Board) -> None:
    with having(board.app, ratelimit_enabled=True):
        assert [ask(board.bo).status_code for _ in range(11)] == [200] * 10 + [429]
        assert "Your data can be downloaded 10 times an hour" in ask(board.bo).text


@pytest.mark.parametrize("action", ["", "burn"])
def test_another_action_is_refused_in_words(board: Board, action: str) -> None:
    answer = board.bo.post("/settings/data", {"action": action})
    assert answer.status_code == 422
    assert "to download your data" in answer.text


def test_a_member_without_anything_gets_a_file_too(app: Flask, board: Board) -> None:
    found = file_of(board.bo)
    assert found["comments"] == found["posts"] == found["notices"] == []
    with app.app_context():
        assert db.session.execute(select(Member.username).where(Member.id == board.bo.id)).scalar_one() == "bo"
