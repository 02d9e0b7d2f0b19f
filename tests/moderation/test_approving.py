"""What moderators decide about what waits: approved it is new now, rejected its writer keeps it; nothing twice, nothing lost."""

import threading
from datetime import timedelta

import pytest
from lxml import html as lxml_html
from sqlalchemy import select

from blog.accounts.models import Member, Role
from blog.acts.models import Act
from blog.clock import now, stopped_at
from blog.comments.checking import differences
from blog.comments.models import Comment, CommentRevision
from blog.db import db
from blog.notices.models import Notice
from blog.posts.models import Post
from tests.conftest import Board, Visitor, counted
from tests.factories import make_post
from tests.filters.lists import PATH, held_texts, line, send

MARK = "lottery"
REASON = "Sells tickets to the people who write here."
HELD = "/moderation/held"


@pytest.fixture(autouse=True)
def post_id(board: Board) -> int:
    anna = board.anna.id
    with board.app.app_context():
        found = make_post(anna, source="An opening.").id
        db.session.commit()
    line(board, MARK)
    return found


def approve(who: Visitor, number: int = 1, htmx: bool = False, **fields: str) -> object:
    return who.post(f"{HELD}/{number}/approve", fields, htmx=htmx)


def acts(board: Board) -> list[Act]:
    with board.app.app_context():
        return list(db.session.execute(select(Act).order_by(Act.number)).scalars())


def test_an_approved_reply_is_new_now_and_counted(board: Board) -> None:
    send(board.anna, "A parent.")
    send(board.bo, f"A {MARK} reply.", parent_id="1")
    send(board.anna, "A later one.")
    board.anna.get(PATH)
    answer = board.mo.post(f"{HELD}/1/approve")
    assert (answer.status_code, answer.headers["Location"]) == (303, HELD)
    assert "Approved. Act 2." in board.mo.get(HELD).text
    with board.app.app_context():
        comment = db.session.get_one(Comment, 3)
        assert (comment.seq, comment.parent_id, comment.author_id, comment.depth, comment.root_id, comment.parent_version) == (3, 1, board.bo.id, 2, 1, 1)
        post = db.session.execute(select(Post)).scalar_one()
        assert (post.last_seq, post.comment_count) == (3, 3)
        assert db.session.execute(select(CommentRevision.source).where(CommentRevision.comment_id == 3)).scalar_one() == f"A {MARK} reply."
        assert list(differences()) == []
        told = db.session.execute(select(Notice).where(Notice.kind == "approved")).scalar_one()
        assert (told.member_id, told.subject_id) == (board.bo.id, 3)
    assert f"A {MARK} reply." in board.cy.get(PATH).text
    with stopped_at(now() + timedelta(hours=2)):
        page = lxml_html.fromstring(board.anna.get(PATH).text)
    assert "New" in page.xpath('//*[@id="actions-3"]')[0].text_content()
    hold, approval = acts(board)
    assert (approval.kind, approval.actor_handle, approval.undoes_id, approval.rule_id, approval.scope) == ("approve", "M1", hold.id, 4, "this comment")
    assert board.bo.get("/held/1").headers["Location"] == "/comments/3"


def test_a_resent_form_finds_the_approved_comment(board: Board) -> None:
    key = "B" * 24
    send(board.bo, f"A {MARK}.", submission_id=key)
    board.mo.post(f"{HELD}/1/approve")
    assert send(board.bo, f"A {MARK}.", submission_id=key).headers["Location"].endswith("#comment-1")
    assert len(held_texts(board)) == 1


def test_a_rejected_text_is_its_writers_with_rule_and_reason(board: Board) -> None:
    send(board.bo, f"A {MARK}.")
    form = lxml_html.fromstring(board.mo.get(f"{HELD}/1/reject").text)
    assert len(form.xpath('//input[@type="radio"][@name="rule"]')) == 5
    for fields in ({}, {"rule": "4"}, {"rule": "4", "reason": "short"}, {"reason": REASON}):
        refused = board.mo.post(f"{HELD}/1/reject", fields)
        assert refused.status_code == 422
        if "reason" in fields:
            assert fields["reason"] in refused.text
    assert board.mo.post(f"{HELD}/1/reject", {"rule": "4", "reason": REASON}).status_code == 303
    assert held_texts(board)[0].state == "rejected"
    page = board.bo.get("/held/1").text
    assert "was not approved" in page and f"A {MARK}." in page
    assert MARK not in board.bo.get(PATH).text  # it does not wait there any more
    hold, rejection = acts(board)
    assert "It was rejected by" in board.cy.get("/acts/1").text
    assert (rejection.kind, rejection.about_id, rejection.reason, rejection.person_id) == ("reject", hold.id, REASON, board.bo.id)
    assert board.cy.get(PATH).text.count(MARK) == 0


@pytest.mark.parametrize("gone", ["delete", "hide"])
def test_a_reply_whose_parent_is_gone_leaves_a_clear_choice(board: Board, gone: str) -> None:
    send(board.anna, "A parent.")
    send(board.bo, f"A {MARK} reply.", parent_id="1")
    if gone == "delete":
        board.anna.post("/comments/1/delete")
    else:
        board.mo.post("/comments/1/hide", {"rule": "1", "reason": REASON})
    row = lxml_html.fromstring(board.mo.get(HELD).text).xpath('//li[@id="held-1"]')[0]
    assert "What this answers was deleted, hidden or closed meanwhile." in row.text_content()
    assert row.xpath('.//button[@value="root"]')
    refused = board.mo.post(f"{HELD}/1/approve")
    assert refused.status_code == 409
    assert "Let it out as a comment of its own, or reject it." in refused.text
    assert lxml_html.fromstring(refused.text).xpath('//form//button[@name="place"][@value="root"]')
    assert held_texts(board)[0].state == "waiting"
    assert len(acts(board)) == (1 if gone == "delete" else 2)  # the refused approval took no number
    assert board.mo.post(f"{HELD}/1/approve", {"place": "root"}).status_code == 303
    with board.app.app_context():
        comment = db.session.get_one(Comment, 2)
        assert (comment.parent_id, comment.depth, comment.root_id, comment.parent_version) == (None, 1, None, None)
        assert list(differences()) == []


def test_there_is_no_place_under_a_hidden_post_or_in_a_closed_discussion(board: Board) -> None:
    send(board.bo, f"A {MARK}.")
    with board.app.app_context():
        db.session.execute(select(Post)).scalar_one().locked_by = 1
        db.session.commit()
    refused = board.mo.post(f"{HELD}/1/approve")
    assert refused.status_code == 409 and "The discussion was closed meanwhile" in refused.text
    board.mo.post(f"{PATH}/hide", {"rule": "1", "reason": REASON})
    refused = board.mo.post(f"{HELD}/1/approve")
    assert refused.status_code == 409 and "gone or hidden" in refused.text
    for page in (board.bo.get("/held/1").text, refused.text, board.mo.get(HELD).text):
        assert "The kitchen table" not in page  # a hidden post's title


def test_the_second_moderator_learns_who_was_faster(board: Board) -> None:
    for number in (1, 2):
        send(board.bo, f"A {MARK} {number}.")
    board.mo.post(f"{HELD}/1/approve")
    board.mo.post(f"{HELD}/2/reject", {"rule": "4", "reason": REASON})
    for number, done in ((1, "approved"), (2, "rejected")):
        for htmx in (False, True):
            answer = board.max.post(f"{HELD}/{number}/approve", htmx=htmx)
            assert answer.status_code == 409 and f"already {done}, by M1, just now" in answer.text
            answer = board.max.post(f"{HELD}/{number}/reject", {"rule": "1", "reason": "Also looked at this one."}, htmx=htmx)
            assert answer.status_code == 409 and f"already {done}" in answer.text and "Also looked at this one." in answer.text
    assert len(acts(board)) == 4
    send(board.bo, f"A {MARK} 3.")
    board.bo.post("/held/3/withdraw")
    assert "Its writer took this back meanwhile." in board.mo.post(f"{HELD}/3/approve").text


def test_only_moderators_decide_and_nobody_about_their_own(board: Board) -> None:
    send(board.bo, f"A {MARK}.")
    for who in (board.bo, board.anna):
        assert who.post(f"{HELD}/1/approve").status_code in (403, 404)
        assert who.get(HELD).status_code == 403
        assert who.get(f"{HELD}/1/reject").status_code in (403, 404)
    with board.app.app_context():
        db.session.get_one(Member, board.bo.id).role = Role.MODERATOR
        db.session.commit()
    assert "another moderator must decide" in board.bo.get(HELD).text
    assert board.bo.post(f"{HELD}/1/approve").status_code == 403


def test_in_place_the_row_says_what_became_of_it_and_the_count_falls(board: Board) -> None:
    for number in (1, 2, 3):
        send(board.bo, f"A {MARK} {number}.")
    page = lxml_html.fromstring(board.mo.get(HELD).text)
    assert page.xpath('//*[@id="case-count"]')[0].text_content().strip().startswith("3")
    assert [row.get("id") for row in page.xpath('//li[@class="case"]')] == ["held-1", "held-2", "held-3"]
    answer = board.mo.post(f"{HELD}/1/approve", htmx=True)
    tree = lxml_html.fromstring(f"<div>{answer.text}</div>")
    assert answer.text.lstrip().startswith('<div id="slot-held-1">')
    assert "Approved. Act 4." in tree.xpath('//li[@id="held-1"]')[0].text_content()
    assert tree.xpath('//*[@id="case-count"]')[0].text_content().strip().startswith("2")
    assert tree.xpath("//*[@data-focus]")
    form = board.mo.get(f"{HELD}/2/reject", htmx=True)
    assert form.text.lstrip().startswith("<form")
    refused = board.mo.post(f"{HELD}/2/reject", {"rule": "4", "reason": "short"}, htmx=True)
    assert refused.status_code == 422 and refused.text.lstrip().startswith('<div id="slot-held-2">')
    assert "Rejected. Act 5." in board.mo.post(f"{HELD}/2/reject", {"rule": "4", "reason": REASON}, htmx=True).text


def test_an_approved_edit_is_the_next_version(board: Board) -> None:
    send(board.bo, "First words.")
    board.bo.post("/comments/1/edit", {"body": f"A {MARK}.", "version": "1"})
    row = lxml_html.fromstring(board.mo.get(HELD).text).xpath('//li[@id="held-1"]')[0]
    assert "Change of a comment by Bo" in row.text_content() and "First words." in row.text_content()
    before = board.cy.get(PATH)
    board.mo.post(f"{HELD}/1/approve")
    after = board.cy.get(PATH, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200 and f"A {MARK}." in after.text
    with board.app.app_context():
        assert db.session.get_one(Comment, 1).version == 2
    board.bo.post("/comments/1/edit", {"body": f"Another {MARK} and a second {MARK}.", "version": "2"})
    assert len(held_texts(board)) == 1  # the word stands there already
    board.bo.post("/comments/1/edit", {"body": "Clean.", "version": "3"})
    board.bo.post("/comments/1/edit", {"body": f"Again {MARK}.", "version": "4"})
    board.bo.post("/comments/1/delete")
    assert board.mo.post(f"{HELD}/2/approve").status_code == 409


# -- posts


def write(who: Visitor, title: str = f"Win the {MARK}", **fields: str) -> str:
    answer = who.post("/posts/new", {"title": title, "body": "Some words.", **fields})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def test_a_post_that_waits_is_seen_by_its_author_and_moderators_alone(board: Board) -> None:
    path = write(board.bo, topics="Rare topic")
    assert path == "/posts/win-the-lottery"
    mine = board.bo.get(path)
    assert "Waiting for a moderator." in mine.text and "Your post waits for a moderator." in mine.text
    assert "This board is careful about offers of lottery tickets." in mine.text
    assert "Waits for a moderator" in board.bo.get("/members/bo").text
    assert MARK in board.mo.get(path).text
    paths = ("/", path, "/posts/2", f"{path}/history", f"{path}/comments", f"{path}/feed.atom", "/feed.atom", "/members/bo", "/topics", "/topics/rare-topic",
             "/sitemap.xml", PATH, "/acts/1")
    for visitor in (board.anna, board.cy):
        for there in paths:
            page = visitor.get(there)
            assert page.status_code < 500
            assert "Win the" not in page.text and "Rare topic" not in page.text, there
    assert board.anna.get(path).status_code == 404
    assert board.anna.post(f"{path}/comments", {"body": "Hm."}).status_code == 404
    assert board.bo.post(f"{path}/comments", {"body": "Hm."}).status_code == 403
    assert "This post waits for a moderator’s approval" in board.mo.post(f"{path}/comments", {"body": "Hm."}).text


def test_a_topic_or_the_words_hold_a_post_too(board: Board) -> None:
    write(board.bo, "Harmless", topics=MARK)
    write(board.bo, "Harmless", body=f"A {MARK}.")
    write(board.bo, "Harmless")
    with board.app.app_context():
        assert list(db.session.execute(select(Post.state).order_by(Post.id)).scalars()) == ["published", "held", "held", "published"]


def test_an_approved_post_is_new_now(board: Board) -> None:
    path = write(board.bo)
    board.mo.get("/")
    row = lxml_html.fromstring(board.mo.get(HELD).text).xpath('//li[@id="post-2"]')[0]
    assert f"Win the {MARK}" in row.text_content()
    assert board.bo.post(f"{path}/approve").status_code == 403
    assert board.mo.post(f"{path}/approve").status_code == 303
    assert f"Win the {MARK}" in board.cy.get("/").text
    assert board.cy.get(path).status_code == 200
    with board.app.app_context():
        post = db.session.get_one(Post, 2)
        assert post.published_at is not None and post.published_at == post.active_at
    assert [(act.kind, act.target_kind, act.target_id) for act in acts(board)] == [("hold", "post", 2), ("approve", "post", 2)]
    for answer in (board.max.post(f"{path}/approve"), board.max.post(f"{path}/reject", {"rule": "4", "reason": REASON})):
        assert answer.status_code == 409 and "already approved, by M1" in answer.text


def test_a_rejected_post_is_a_draft_again(board: Board) -> None:
    path = write(board.bo)
    assert board.mo.get(f"{path}/reject").status_code == 200
    assert board.mo.post(f"{path}/reject", {"rule": "4", "reason": REASON}).status_code == 303
    assert board.mo.get(path).status_code == 404
    page = board.bo.get(path)
    assert page.status_code == 200 and "Draft." in page.text and "Some words." in page.text
    with board.app.app_context():
        assert db.session.get_one(Post, 2).state == "draft"
    again = board.bo.post(f"{path}/edit", {"title": f"Win the {MARK}", "body": "Other words.", "version": "1"})
    assert again.status_code == 303
    with board.app.app_context():
        assert db.session.get_one(Post, 2).state == "held"
    assert len(acts(board)) == 3


def test_the_author_changes_what_waits_and_makes_it_a_draft_again(board: Board) -> None:
    path = write(board.bo)
    form = board.bo.get(f"{path}/edit").text
    assert "Make it a draft again" in form
    board.bo.post(f"{path}/edit", {"title": "A harmless name", "body": "Some words.", "version": "1"})
    assert board.bo.get(path).status_code == 404  # nobody ever saw the old address
    with board.app.app_context():
        assert db.session.get_one(Post, 2).state == "held"
    board.bo.post("/posts/a-harmless-name/edit", {"title": "A harmless name", "body": "Some words.", "version": "2", "action": "draft"})
    with board.app.app_context():
        assert db.session.get_one(Post, 2).state == "draft"
    board.bo.post("/posts/a-harmless-name/edit", {"title": "A harmless name", "body": "Some words.", "version": "2", "action": "publish"})
    assert "A harmless name" in board.cy.get("/").text


def test_a_form_sent_twice_makes_one_post_that_waits(board: Board) -> None:
    key = "C" * 24
    assert write(board.bo, submission_id=key) == write(board.bo, submission_id=key)
    assert len(acts(board)) == 1


def test_a_change_of_a_post_waits_while_the_post_stands(board: Board) -> None:
    answer = board.anna.post(f"{PATH}/edit", {"title": "The kitchen table", "body": f"A {MARK}.", "topics": "Money", "version": "1"})
    assert answer.headers["Location"] == "/held/1"
    assert "change of a post waits" in board.anna.get("/held/1").text
    assert MARK not in board.cy.get(PATH).text and "An opening." in board.cy.get(PATH).text
    assert "Change of a post by Anna" in board.mo.get(HELD).text
    board.anna.post("/held/1/edit", {"title": "The kitchen chair", "body": f"One {MARK}.", "version": "1"})
    assert board.mo.post(f"{HELD}/1/approve").status_code == 303
    page = board.cy.get("/posts/the-kitchen-chair")
    assert page.status_code == 200 and f"One {MARK}." in page.text and "Money" in page.text
    assert board.cy.get(PATH).status_code == 301
    assert board.anna.get("/held/1").headers["Location"] == "/posts/1"


# -- costs


def test_the_list_costs_the_same_whatever_waits_and_pages_by_key(board: Board) -> None:
    for number in range(3):
        send(board.bo, f"A {MARK} {number}.")
    board.mo.get(HELD)
    with counted(board.app) as statements:
        board.mo.get(HELD)
    few = len(statements)
    assert few <= 6, statements
    for number in range(40):
        send(board.bo, f"A {MARK} again {number}.")
    for number in range(22):
        write(board.bo, f"Win the {MARK} {number}")
    with counted(board.app) as statements:
        page = lxml_html.fromstring(board.mo.get(HELD).text)
    assert len(statements) == few
    assert page.xpath('//*[@id="case-count"]')[0].text_content().strip().startswith("65")
    seen: list[str] = []
    path = HELD
    for _ in range(4):
        page = lxml_html.fromstring(board.mo.get(path).text)
        seen += [row.get("id") for row in page.xpath('//li[@class="case"][starts-with(@id, "held-")]')]
        further = page.xpath('//a[@rel="next"][contains(@href, "texts=")]/@href')
        if not further:
            break
        path = further[0].partition("#")[0]
    assert seen == [f"held-{number}" for number in range(1, 44)]
    assert board.mo.get(f"{HELD}?texts=x").status_code == 400


def test_of_two_moderators_at_once_one_decides(board: Board) -> None:
    send(board.bo, f"A {MARK}.")
    moderators = [board.mo, board.max]
    tokens = [who.token() for who in moderators]
    answers: list[int] = [0, 0]
    barrier = threading.Barrier(2)

    def press(number: int) -> None:
        barrier.wait()
        answers[number] = moderators[number].post(f"{HELD}/1/approve", token=tokens[number]).status_code

    threads = [threading.Thread(target=press, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303, 409]
    assert [act.number for act in acts(board)] == [1, 2]
    with board.app.app_context():
        assert len(db.session.execute(select(Comment.id)).all()) == 1
        assert list(differences()) == []


# -- what changed between reading and deciding


def test_only_what_was_read_is_approved(board: Board) -> None:
    send(board.bo, f"A {MARK}.")
    button = lxml_html.fromstring(board.mo.get(HELD).text).xpath('//button[contains(@formaction, "/approve")]')[0].get("formaction")
    assert board.bo.post("/held/1/edit", {"body": f"Quite another {MARK}.", "version": "1"}).status_code == 303
    late = board.mo.post(button)
    assert late.status_code == 409
    assert MARK not in board.cy.get(PATH).text
    again = lxml_html.fromstring(board.mo.get(HELD).text).xpath('//button[contains(@formaction, "/approve")]')[0].get("formaction")
    assert board.mo.post(again).status_code == 303
    assert f"Quite another {MARK}." in board.cy.get(PATH).text


def test_a_reply_below_a_hidden_branch_has_no_place(board: Board) -> None:
    send(board.anna, "The top.")
    send(board.anna, "Below it.", parent_id="1")
    send(board.bo, f"A {MARK} reply.", parent_id="2")
    board.mo.post("/comments/1/hide", {"rule": "4", "reason": REASON, "scope": "branch"})
    assert board.mo.post(f"{HELD}/1/approve").status_code == 409
    with board.app.app_context():
        assert held_texts(board)[0].state == "waiting"


def overturn(board: Board, number: int) -> None:
    assert board.bo.post(f"/acts/{number}/appeal", {"statement": "Nothing is sold here, and never was."}).status_code == 303
    assert board.max.post(f"/acts/{number}/decide", {"outcome": "overturn", "reason": "It sold nothing indeed."}).status_code == 303


def test_an_overturned_rejection_publishes_nothing_that_nobody_read(board: Board) -> None:
    path = write(board.bo)
    board.mo.post(f"{path}/reject", {"rule": "4", "reason": REASON})
    board.bo.post(f"{path}/edit", {"title": "Private plans", "body": "About my boss.", "version": "1", "action": "draft"})
    assert board.max.id
    overturn(board, 2)
    with board.app.app_context():
        assert db.session.get_one(Post, 2).state == "draft"
    assert "Private plans" not in board.cy.get("/").text


def test_an_overturned_rejection_publishes_what_was_rejected(board: Board) -> None:
    path = write(board.bo)
    board.mo.post(f"{path}/reject", {"rule": "4", "reason": REASON})
    overturn(board, 2)
    assert f"Win the {MARK}" in board.cy.get("/").text


def test_an_overturned_rejection_of_a_change_takes_no_newer_words_away(board: Board) -> None:
    send(board.bo, "First words.")
    board.bo.post("/comments/1/edit", {"body": f"A {MARK}.", "version": "1"})
    board.mo.post(f"{HELD}/1/reject", {"rule": "4", "reason": REASON})
    board.bo.post("/comments/1/edit", {"body": "Third words.", "version": "1"})
    overturn(board, 2)
    page = board.cy.get(PATH).text
    assert "Third words." in page
    assert MARK not in page
