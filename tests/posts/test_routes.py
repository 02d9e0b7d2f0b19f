"""The doors of posts: what a reader, an author and a moderator see, with and without htmx, and that nothing typed is lost."""

import html
import re
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from flask import Flask
from lxml import html as lxml_html
from sqlalchemy import event, func, select, update
from werkzeug.test import TestResponse

from blog import limiting
from blog.comments import writing as comments
from blog.db import db, writing
from blog.drafts import keeping
from blog.moderation import hiding
from blog.posts import publishing, revising
from blog.posts.models import Post, PostRevision, PostState
from tests.accounts.postbox import having
from tests.conftest import Board, Visitor, counted
from tests.factories import make_post
from tests.posts.pages import Element, find, page, words

NASTY = "“Quotes” \"double\" 'single' <script>alert(1)</script> &amp; \u202eright to left\u202c {{ 777*3 }} 🧑🏽‍🏫"


def one(board: Board) -> Post:
    with board.app.app_context():
        return db.session.execute(select(Post).order_by(Post.id.desc()).limit(1)).scalar_one()


def hide(board: Board, post_id: int) -> None:
    moderator = board.mo.viewer
    with board.app.app_context(), writing():
        hiding.hide_post(post_id, moderator, rule_id=3, reason="Names a client of theirs.")


def comment(board: Board, post_id: int, by: Visitor, body: str = "A comment.") -> int:
    with board.app.app_context(), writing():
        return comments.add(post_id, by.viewer, comments.words(body))


@pytest.fixture
def post(app: Flask, board: Board) -> Post:
    anna = board.anna
    with app.app_context():
        return make_post(anna.id)


# -- reading


def test_the_front_page_names_each_post_its_comments_and_its_topics(board: Board, post: Post) -> None:
    answer = board.cy.get("/")
    seen = page(answer)
    article = find(seen, "main ol.posts > li.lead article")[0]
    assert words(seen.get_element_by_id(article.get("aria-labelledby"))) == "The kitchen table"
    assert words(find(article, ".tally a")[0]) == "0 comments on The kitchen table"
    assert find(article, ".tally a")[0].get("href") == "/posts/the-kitchen-table#talk"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", words(find(article, ".facts time")[0]))
    assert words(find(seen, ".topics li a")[0]) == "Coaching1 post"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("query", ["?sort=newest", "?sort=nonsense", "?sort="])
def test_an_unknown_order_is_ignored(board: Board, post: Post, query: str) -> None:
    assert "The kitchen table" in board.cy.get(f"/{query}").text


def test_a_front_page_without_posts_says_why_and_what_next(board: Board) -> None:
    assert "/register" in board.cy.get("/").text
    assert find(page(board.anna.get("/")), 'main a[href=/posts/new]')
    assert "Confirm your e-mail" in board.member("uma", verified=False).get("/").text


def test_older_posts_are_a_link_and_a_damaged_one_is_400(app: Flask, board: Board) -> None:
    with app.app_context():
        for number in range(12):
            make_post(board.anna.id, f"Number {number}")
    first = page(board.cy.get("/"))
    link = find(first, "a[rel=next]")[0].get("href")
    assert [words(title) for title in find(page(board.cy.get(link)), "main h2")][:2] == ["Number 1", "Number 0"]
    assert board.cy.get("/?after=1.x").status_code == 400
    assert "No more posts" in board.cy.get("/?after=1.1").text


def test_an_article_has_the_founding_form(app: Flask, board: Board, post: Post) -> None:
    with app.app_context():
        db.session.execute(update(Post).values(published_at=datetime(2024, 8, 10, 4, 22, tzinfo=UTC)))
        db.session.commit()
        for number in range(4):
            make_post(board.bo.id, f"Another {number}", "More words than the little room under an article holds. " * 6)
    seen = page(board.cy.get("/posts/the-kitchen-table"))
    assert find(seen, "title")[0].text == "The kitchen table · Parley"
    assert [words(title) for title in find(seen, "h1")] == ["The kitchen table"]
    assert words(find(seen, ".byline")[0]) == "Submitted by Anna on Sat, 08/10/2024 - 04:22"
    assert find(seen, ".byline a")[0].get("href") == "/members/anna"
    assert find(seen, ".byline time")[0].get("datetime") == "2024-08-10T04:22:00Z"
    body = find(seen, ".post-body.prose")[0]
    assert body.get("hx-ignore") is not None and body.get("hx-disable") is not None
    ids = [heading.get("id") for heading in find(body, "h2")]
    assert ids == ["user-content-what-the-table-is-for", "user-content-when-somebody-crosses-it"]
    assert [link.get("href") for link in find(seen, "nav.toc a")] == [f"#{found}" for found in ids]
    assert words(find(seen, ".facts")[0]) == "1 minute to readCoaching0 comments"
    assert "Every member may reply." in words(find(seen, ".aside .bound")[0])
    sections = [words(found) for found in find(seen, "main > section > :first-child, main > section > div > h2")]
    assert sections[-1] == "Read more"
    teasers = find(seen, ".teasers li")
    assert [words(find(found, "h3")[0]) for found in teasers] == ["Another 3", "Another 2", "Another 1"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", words(find(found, "time")[0])) for found in teasers)
    assert all(re.search(r"\w…$", words(find(found, "p")[0])) for found in teasers)
    assert find(seen, "link[rel=canonical]")[0].get("href").endswith("/posts/the-kitchen-table")
    assert find(seen, "meta[name=description]")[0].get("content").startswith("I teach at the kitchen table")
    assert {link.get("href") for link in find(seen, "link[rel=alternate]")} == {"/feed.atom", "/posts/the-kitchen-table/feed.atom"}


def test_a_short_text_has_no_contents_list(app: Flask, board: Board) -> None:
    with app.app_context():
        make_post(board.anna.id, "Short", "## One heading\n\nWords.")
    assert not find(page(board.cy.get("/posts/short")), ".toc")


def test_a_strangers_article_holds_no_token_and_sets_no_cookie(board: Board, post: Post) -> None:
    answer = board.cy.get("/posts/the-kitchen-table")
    assert "csrf_token" not in answer.text
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "public, no-cache"


def test_an_old_slug_and_a_number_lead_to_the_newest_with_the_question(board: Board, post: Post) -> None:
    board.anna.post("/posts/the-kitchen-table/edit", {"title": "Übers Öffnen", "body": "Words."})
    new = "/posts/" + quote("übers-öffnen")
    for old in ("the-kitchen-table", str(post.id)):
        answer = board.cy.get(f"/posts/{old}?after=5&x=%C3%A9")
        assert (answer.status_code, answer.headers["Location"]) == (301, f"{new}?after=5&x=%C3%A9")
    assert board.cy.get(new).status_code == 200
    board.bo.post("/posts/new", {"title": "The kitchen table", "body": "His."})
    assert board.cy.get("/posts/the-kitchen-table").headers["Location"] == new
    assert board.cy.get("/posts/the-kitchen-table-2").status_code == 200


def test_number_leads_to_the_comment(board: Board, post: Post) -> None:
    comment_id = comment(board, post.id, board.bo)
    answer = board.cy.get(f"/posts/{post.slug}?number=1")
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(f"#comment-{comment_id}")
    for number in ("2", "x", "9" * 30, ""):
        assert board.cy.get(f"/posts/{post.slug}?number={number}").status_code == 404


def test_controls_are_for_those_who_may_press_them(board: Board, post: Post) -> None:
    def controls(visitor: Visitor) -> list[str]:
        return [words(found) for found in find(page(visitor.get("/posts/the-kitchen-table")), ".article header .actions > *")]

    assert controls(board.anna) == ["Edit this post", "Delete this post"]
    assert controls(board.mo) == ["Thank Anna for this post", "Report this post", "Hide this post", "Lock this discussion", "Close this discussion",
                                  "Slow this discussion"]
    assert controls(board.bo) == ["Thank Anna for this post", "Report this post"]
    assert controls(board.cy) == []


@pytest.mark.parametrize("where", ["title", "topic", "body"])
def test_what_a_person_typed_is_text_everywhere(board: Board, where: str) -> None:
    fields = {"title": "A title", "body": "Words.", "topics": "Coaching"}
    fields[{"topic": "topics"}.get(where, where)] = NASTY[:40].replace(",", "") if where == "topic" else NASTY
    answer = board.anna.post("/posts/new", fields)
    assert answer.status_code == 303
    post = one(board)
    topic = find(page(board.cy.get("/topics")), ".lines a")[0].get("href")
    path = f"/posts/{quote(post.slug)}"
    for address in ("/", path, f"{path}/edit", f"{path}/history", "/topics", topic, "/members/anna", "/feed.atom", f"{topic}/feed.atom",
                    f"{path}/feed.atom", "/sitemap.xml"):
        seen = board.anna.get(address)
        assert seen.status_code == 200, address
        assert "<script>alert" not in seen.text, address
        assert "2331" not in seen.text, address
    if where == "title":
        assert words(find(page(board.cy.get(path)), "h1")[0]) == " ".join(NASTY.split())
        assert html.escape(" ".join(NASTY.split()), quote=False).replace("'", "&#39;").replace('"', "&#34;") in board.cy.get("/").text


def test_what_stands_around_a_post_is_read_once_and_changes_at_once(app: Flask, board: Board) -> None:
    board.anna.post("/posts/new", {"title": "First", "body": "Words.", "topics": "Old topic", "action": "publish"})
    assert "Old topic" in board.bo.get("/posts/first").text
    before = [statement for statement in around_statements(app, board) if "UNION ALL" in statement]
    assert before == []
    board.anna.post("/posts/new", {"title": "Second", "body": "Words.", "topics": "", "action": "publish"})
    assert "/posts/second" in board.bo.get("/posts/first").text
    form = next(found for found in page(board.anna.get("/posts/first/edit")).forms if found.get("action") == "/posts/first/edit")
    board.anna.post("/posts/first/edit", {**dict(form.form_values()), "topics": "New topic", "action": "publish"})
    seen = board.bo.get("/posts/first").text
    assert "New topic" in seen
    assert "Old topic" not in seen
    hide(board, 2)
    assert "/posts/second" not in board.bo.get("/posts/first").text


def around_statements(app: Flask, board: Board) -> list[str]:
    """What a member's second look at the first post asks."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert board.bo.get("/posts/first").status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert seen
    return seen


# -- drafts, deleted and hidden posts


def test_a_draft_is_its_authors_alone_and_wears_the_word(app: Flask, board: Board) -> None:
    board.anna.post("/posts/new", {"title": "Not yet", "body": "Soon.", "topics": "Secret topic", "action": "draft"})
    for path in ("/posts/not-yet", "/posts/not-yet/edit", "/posts/not-yet/history", "/posts/not-yet/feed.atom", "/posts/1"):
        for visitor in (board.bo, board.mo, board.ad):
            assert visitor.get(path).status_code == 404, path
        assert "Not yet" not in board.cy.get(path, follow_redirects=True).text
    for path in ("/", "/feed.atom", "/sitemap.xml", "/members/anna", "/topics"):
        assert "Not yet" not in board.bo.get(path).text
        assert "Secret topic" not in board.bo.get(path).text
    assert board.bo.get("/topics/secret-topic").status_code == 404
    seen = page(board.anna.get("/posts/not-yet"))
    assert words(find(seen, ".byline")[0]) == "Draft. Only you can see it."
    assert find(seen, "meta[name=robots]")[0].get("content") == "noindex"
    assert not find(seen, "#talk")
    assert "Not yet" in board.anna.get("/members/anna").text
    # Its Publish button is a whole form.
    form = next(found for found in seen.forms if found.get("action") == "/posts/not-yet/edit")
    answer = board.anna.post("/posts/not-yet/edit", {**dict(form.form_values()), "action": "publish"})
    assert answer.headers["Location"] == "/posts/not-yet"
    assert "Soon." in board.cy.get("/posts/not-yet").text
    assert "Secret topic" in board.cy.get("/topics").text


def test_a_post_taken_down_without_comments_is_gone(board: Board, post: Post) -> None:
    answer = board.anna.post("/posts/the-kitchen-table/delete")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    for visitor in (board.cy, board.anna, board.mo):
        assert visitor.get("/posts/the-kitchen-table").status_code == 410
    assert board.anna.post("/posts/the-kitchen-table/delete").status_code == 410


def test_a_post_taken_down_with_comments_is_a_tombstone_with_its_thread(board: Board, post: Post) -> None:
    comment(board, post.id, board.bo, "What bo said.")
    answer = board.anna.post("/posts/the-kitchen-table/delete")
    assert answer.headers["Location"] == f"/posts/{post.id}"
    for visitor in (board.cy, board.anna, board.mo):
        for slug in ("the-kitchen-table", str(post.id)):
            answer = visitor.get(f"/posts/{slug}")
            assert answer.status_code == 200
            assert "Its author took this post down." in answer.text
            assert "What bo said." in answer.text
            assert 'content="noindex"' in answer.text
            assert "The kitchen table" not in answer.text.replace("/posts/the-kitchen-table/comments", "")
            assert "refereed" not in answer.text
    assert f'href="http://127.0.0.1:8000/posts/{post.id}"' in board.cy.get("/posts/the-kitchen-table").text


def test_taking_down_is_undone_by_the_button_that_the_next_page_holds(app: Flask, board: Board, post: Post) -> None:
    anna = board.anna
    with app.app_context():
        draft = make_post(anna.id, "Not yet", state=PostState.DRAFT)
    for taken, slug in ((post, "the-kitchen-table"), (draft, "not-yet")):
        assert anna.post(f"/posts/{slug}/delete").headers["Location"] == "/"
        undo = find(page(anna.get("/")), ".flash.undo button")
        assert [button.get("formaction") for button in undo] == [f"/posts/{taken.id}/restore"]
        answer = anna.post(undo[0].get("formaction"))
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/posts/{slug}")
        assert "refereed" in anna.get(f"/posts/{slug}").text
        anna.get("/")
    assert "refereed" in board.cy.get("/posts/the-kitchen-table").text and "The kitchen table" in board.cy.get("/").text
    assert board.cy.get("/posts/not-yet").status_code == 404


def test_the_author_finds_restore_at_the_tombstone_and_others_do_not(board: Board, post: Post) -> None:
    comment(board, post.id, board.bo)
    board.anna.post("/posts/the-kitchen-table/delete")
    board.anna.get("/")
    for visitor, there in ((board.anna, True), (board.bo, False), (board.mo, False), (board.cy, False)):
        assert (f"/posts/{post.id}/restore" in visitor.get(f"/posts/{post.id}").text) is there
    assert board.bo.post(f"/posts/{post.id}/restore").status_code == 403
    assert board.anna.post(f"/posts/{post.id}/restore", token="").status_code == 400
    assert "refereed" not in board.cy.get("/posts/the-kitchen-table").text


def test_only_the_author_takes_a_post_down(board: Board, post: Post) -> None:
    for visitor in (board.bo, board.mo, board.ad):
        assert visitor.post("/posts/the-kitchen-table/delete").status_code == 403
    assert board.anna.post("/posts/the-kitchen-table/delete", token="").status_code == 400
    assert board.anna.get("/posts/the-kitchen-table/delete").status_code == 405
    assert board.cy.get("/posts/the-kitchen-table").status_code == 200


def test_a_hidden_post_is_a_tombstone_with_rule_reason_and_act(board: Board, post: Post) -> None:
    comment(board, post.id, board.bo, "What bo said.")
    hide(board, post.id)
    for slug in ("the-kitchen-table", str(post.id)):
        answer = board.cy.get(f"/posts/{slug}")
        seen = page(answer)
        assert answer.status_code == 200
        assert words(find(seen, "h1")[0]) == f"Post {post.id} hidden by a moderator"
        assert "“Names a client of theirs.”" in words(find(seen, ".tomb")[0])
        assert find(seen, ".tomb a")[0].get("href") == "/acts/1"
        assert find(seen, "meta[name=robots]")[0].get("content") == "noindex"
        assert find(seen, "link[rel=canonical]")[0].get("href").endswith(f"/posts/{post.id}")
        assert not find(seen, ".post-body, .toc, .byline, meta[name=description]")
        assert "What bo said." in answer.text
        assert "itchen table" not in answer.text
        assert "no more comments" in answer.text
    for visitor in (board.anna, board.mo, board.max):
        answer = visitor.get(f"/posts/{post.id}")
        assert "refereed" in answer.text and "The kitchen table" in answer.text and "hidden by a moderator" in answer.text
    for path in ("/", "/topics", "/members/anna", "/feed.atom", "/sitemap.xml", "/topics/coaching"):
        for visitor in (board.cy, board.anna, board.mo):
            assert "itchen" not in visitor.get(path).text, path
    assert board.cy.get("/posts/the-kitchen-table/feed.atom").status_code == 404


def test_the_history_is_open_as_long_as_the_post_is(board: Board, post: Post) -> None:
    board.anna.post("/posts/the-kitchen-table/edit", {"title": "The kitchen table", "body": "Second words."})
    seen = page(board.cy.get("/posts/the-kitchen-table/history"))
    assert [words(found) for found in find(seen, ".ledger .no")] == ["2", "1"]
    whole = page(board.cy.get(find(seen, ".ledger a.more")[1].get("href")))
    assert "refereed homework" in find(whole, "pre")[0].text and "Second words." not in words(whole)
    assert board.cy.get("/posts/the-kitchen-table/history?version=3").status_code == 404
    assert board.cy.get("/posts/the-kitchen-table/history?version=x").status_code == 400
    assert "history" in board.cy.get("/posts/the-kitchen-table").text
    hide(board, post.id)
    for visitor, status in ((board.cy, 404), (board.bo, 404), (board.mo, 200), (board.anna, 200)):
        assert visitor.get(f"/posts/{post.id}/history").status_code == visitor.get(f"/posts/{post.id}/history?version=1").status_code == status
    board.anna.post(f"/posts/{post.id}/delete")
    for visitor, status in ((board.cy, 410), (board.bo, 410), (board.mo, 410), (board.anna, 200)):
        assert visitor.get(f"/posts/{post.id}/history").status_code == visitor.get(f"/posts/{post.id}/history?version=1").status_code == status


@pytest.mark.one_database
def test_a_page_of_long_versions_stays_short_and_each_is_whole_on_its_own(board: Board, post: Post) -> None:
    text = ("Nine words that stand in a line of their own.\n" * 2_200)[:99_000]
    for number in range(2, 12):
        fields = {"title": "The kitchen table", "body": f"{text}\nNumber {number}.", "version": str(number - 1)}
        assert board.anna.post("/posts/the-kitchen-table/edit", fields).status_code == 303
    listed = board.cy.get("/posts/the-kitchen-table/history")
    assert len(listed.data) < 60_000 and "What changed is long" in listed.text
    one_version = board.cy.get("/posts/the-kitchen-table/history?version=7")
    assert "Number 7." in find(page(one_version), "pre")[0].text
    assert "Number 6." in words(find(page(one_version), ".diff")[0])
    assert len(one_version.data) < 3 * 99_000 + 20_000


def test_previews_are_budgeted(board: Board, post: Post) -> None:
    anna = board.anna
    said = comment(board, post.id, anna)
    token = anna.token()
    with having(board.app, ratelimit_enabled=True):
        with board.app.test_request_context():
            for _ in range(240):
                limiting.spend("press", anna.id)
        for path, fields in (("/posts/new", {"title": "T"}), ("/posts/the-kitchen-table/edit", {"title": "T"}), ("/posts/the-kitchen-table/comments", {}),
                             (f"/comments/{said}/edit", {})):
            answer = anna.post(path, {**fields, "body": "Half a thought.", "action": "preview"}, token=token)
            assert answer.status_code == 429 and "Half a thought." in answer.text, path


# -- writing


def test_publishing_leads_to_the_post(board: Board) -> None:
    answer = board.anna.post("/posts/new", {"title": "A new evening", "body": "It began."})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/posts/a-new-evening")
    under_htmx = board.anna.post("/posts/new", {"title": "Another evening", "body": "It began."}, htmx=True)
    assert under_htmx.headers["HX-Redirect"] == "/posts/another-evening"


def test_the_form_has_labels_a_token_and_a_submission_id_that_makes_one_post(board: Board) -> None:
    seen = page(board.anna.get("/posts/new"))
    form = next(found for found in seen.forms if found.get("action") == "/posts/new")
    for field in find(form, "input:not([type=hidden]), textarea"):
        assert find(seen, f"label[for={field.get('id')}]"), field.get("name")
    assert {button.get("data-md") for button in find(form, ".tools button[data-for=body]")} == {"heading", "bold", "italic", "link", "quote", "list"}
    fields = {**dict(form.form_values()), "title": "Once", "body": "Words."}
    addresses = {board.anna.post("/posts/new", fields).headers["Location"] for _ in range(3)}
    assert addresses == {"/posts/once"}
    with board.app.app_context():
        assert db.session.execute(select(func.count()).select_from(Post)).scalar_one() == 1


def test_what_changed_between_two_presses_of_one_form_is_kept_for_the_edit_page(board: Board) -> None:
    fields = {"title": "Once", "body": "First.", "submission_id": "a-form-of-sixteen-characters"}
    board.anna.post("/posts/new", fields)
    answer = board.anna.post("/posts/new", {**fields, "body": "First, and then more."})
    assert answer.headers["Location"] == "/posts/once"
    assert "First." in board.cy.get("/posts/once").text and "and then more" not in board.cy.get("/posts/once").text
    assert "First, and then more." in board.anna.get("/posts/once/edit").text


def test_a_form_sent_again_after_its_post_was_changed_leads_there_and_keeps_nothing(board: Board) -> None:
    anna = board.anna
    form = {"title": "Once", "body": "It *began*.", "submission_id": "a-form-of-sixteen-characters"}
    assert anna.post("/posts/new", form).headers["Location"] == "/posts/once"
    anna.post("/posts/once/edit", {"title": "Once", "body": "Put better.", "version": "1"})
    assert anna.post("/posts/new", form).headers["Location"] == "/posts/once"
    assert "Put better." in anna.get("/posts/once/edit").text and "began" not in anna.get("/posts/once/edit").text
    assert "had been sent before" not in anna.get("/posts/once").text


def test_other_words_of_a_form_sent_before_wait_under_the_version_that_they_began_from(board: Board) -> None:
    anna = board.anna
    form = {"title": "Once", "body": "It began.", "submission_id": "a-form-of-sixteen-characters"}
    anna.post("/posts/new", form)
    anna.post("/posts/once/edit", {"title": "Once", "body": "Put better.", "version": "1"})
    number = one(board).id
    with board.app.app_context(), writing():
        keeping.keep(f"/posts/{number}/edit", {"title": "Once", "body": "A thought in between.", "version": "2"}, member_id=anna.id)
    anna.post("/posts/new", {**form, "body": "It began late."})
    waiting = page(anna.get("/posts/once/edit"))
    fields = dict(next(found for found in waiting.forms if found.get("action") == "/posts/once/edit").form_values())
    assert "It began late." in fields["body"] and "A thought in between." in fields["body"]
    refused = anna.post("/posts/once/edit", fields)
    assert refused.status_code == 409 and "Put better." in refused.text and "It began late." in refused.text


def test_sending_a_form_again_leaves_a_newer_text_for_the_next_post(board: Board) -> None:
    anna = board.anna
    form = {"title": "Once", "body": "It began.", "submission_id": "a-form-of-sixteen-characters"}
    anna.post("/posts/new", form)
    anna.post("/drafts", {"target": "/posts/new", "title": "Next", "body": "The next one.", "submission_id": "another-form-of-its-own"})
    anna.post("/posts/new", form)
    assert "The next one." in anna.get("/posts/new").text


def test_a_form_sent_as_a_draft_and_then_published_is_published(board: Board) -> None:
    fields = {"title": "Once", "body": "First.", "submission_id": "a-form-of-sixteen-characters"}
    board.anna.post("/posts/new", {**fields, "action": "draft"})
    assert board.cy.get("/posts/once").status_code == 404
    board.anna.post("/posts/new", fields)
    assert board.cy.get("/posts/once").status_code == 200


@pytest.mark.parametrize(("fields", "word"), [
    ({"title": "", "body": "My long text."}, "title is empty"), ({"title": "Kept title", "body": ""}, "text is empty"),
    ({"title": "Kept title", "body": "My long text.", "topics": "one, two, three, four"}, "3 topics"),
    ({"title": "Kept title", "body": "My long text.", "action": "schedule", "publish_at": "2030-01-01T10:00"}, "later hour"),
    ({"title": "Kept title", "body": "My long text.", "action": "explode"}, "nothing else"),
    ({"title": "Kept title", "body": "My long text.", "submission_id": "short"}, "submission_id"),
    ({"title": "t" * 301, "body": "My long text."}, "300 characters"), ({"title": "Kept title", "body": "My long text." + "x" * 100_000}, "100,000 characters"),
    ({"title": "Kept title", "body": "My long text.\n\n" + "> " * 60 + "x"}, "deep"),
])
@pytest.mark.parametrize("htmx", [False, True])
def test_a_refused_post_comes_back_with_its_words(board: Board, fields: dict[str, str], word: str, htmx: bool) -> None:
    answer = board.anna.post("/posts/new", fields, htmx=htmx)
    assert answer.status_code == 422
    seen = page(answer)
    assert word in words(find(seen, "[role=alert]")[0])
    assert (find(seen, "textarea[name=body]")[0].text or "").lstrip("\n") == fields["body"].rstrip()
    assert find(seen, "input[name=title]")[0].get("value") == fields["title"]
    assert board.cy.get("/posts/kept-title").status_code == 404
    # And it waits on the server, should the browser be closed now; once it is sent, it waits no more.
    assert (fields["title"] or fields["body"])[:50] in board.anna.get("/posts/new").text
    board.anna.post("/posts/new", {"title": "Now it fits", "body": "Words."})
    assert not find(page(board.anna.get("/posts/new")), "textarea[name=body]")[0].text.strip()


def test_a_post_from_an_old_visit_is_shown_again_and_not_kept(board: Board) -> None:
    answer = board.anna.post("/posts/new", {"title": "Kept title", "body": "My long text."}, token="stale")
    assert answer.status_code == 400
    assert "My long text." in answer.text
    assert 'name="csrf_token"' in answer.text
    assert "My long text." not in board.anna.get("/posts/new").text


def test_who_may_not_publish_reads_why_and_keeps_the_text(board: Board) -> None:
    uma = board.member("uma", verified=False)
    answer = uma.get("/posts/new")
    assert answer.status_code == 403
    assert "Confirm your e-mail address first" in answer.text and not find(page(answer), "textarea")
    answer = uma.post("/posts/new", {"title": "Kept title", "body": "My long text."})
    assert answer.status_code == 403
    assert "My long text." in answer.text and "Confirm your e-mail address first" in answer.text


def test_topics_come_with_commas_or_as_repeated_fields(board: Board) -> None:
    board.anna.post("/posts/new", {"title": "One", "body": "Words.", "topics": "Tutoring , Money and time,,tutoring"})
    board.anna.post("/posts/new", {"title": "Two", "body": "Words.", "topics": ["Tutoring", "Zeal"]})
    for slug, named in (("one", "Tutoring, Money and time"), ("two", "Tutoring, Zeal")):
        assert find(page(board.anna.get(f"/posts/{slug}/edit")), "input[name=topics]")[0].get("value") == named


def test_a_preview_saves_nothing_and_is_what_readers_will_see(board: Board) -> None:
    source = "Hello *you*.\n\n## One\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    whole = board.anna.post("/posts/new", {"title": "A title", "body": source, "action": "preview"})
    assert whole.status_code == 200
    assert find(page(whole), "textarea[name=body]")[0].text.strip() == source.strip()
    piece = board.anna.post("/posts/new", {"body": source, "action": "preview"}, htmx=True)
    assert piece.status_code == 200 and "<form" not in piece.text and "<html" not in piece.text
    with board.app.app_context():
        assert db.session.execute(select(func.count()).select_from(Post)).scalar_one() == 0
    board.anna.post("/posts/new", {"title": "A title", "body": source})
    published = _source(find(page(board.cy.get("/posts/a-title")), ".post-body")[0])
    for answer in (whole, piece):
        assert _source(find(page(answer), ".post-body")[0]) == published


def _source(element: Element) -> list[str]:
    return [str(part) for part in lxml_html.tostring(element, encoding="unicode", with_tail=False).split()]


def test_a_preview_of_nothing_says_so_in_its_own_place(board: Board) -> None:
    piece = board.anna.post("/posts/new", {"body": " ", "action": "preview"}, htmx=True)
    assert piece.status_code == 422
    assert "text is empty" in piece.text and "<form" not in piece.text
    whole = board.anna.post("/posts/new", {"body": " ", "action": "preview"})
    assert whole.status_code == 422
    assert len(find(page(whole), "[role=alert]")) == 1


def test_editing_begins_with_what_stands_and_ends_at_the_post(board: Board, post: Post) -> None:
    seen = page(board.anna.get("/posts/the-kitchen-table/edit"))
    form = next(found for found in seen.forms if found.get("action") == "/posts/the-kitchen-table/edit")
    fields = dict(form.form_values())
    assert (fields["title"], fields["topics"], fields["version"]) == ("The kitchen table", "Coaching", "1")
    assert fields["body"].strip().startswith("I teach at the kitchen table")
    answer = board.anna.post("/posts/the-kitchen-table/edit", {**fields, "title": "The other table", "body": "Changed."})
    assert answer.headers["Location"] == "/posts/the-other-table"
    assert "Changed." in board.cy.get("/posts/the-other-table").text


def test_a_stale_edit_shows_both_texts_and_then_saves(board: Board, post: Post) -> None:
    board.anna.post("/posts/the-kitchen-table/edit", {"title": "The kitchen table", "body": "From the other window.", "version": "1"})
    answer = board.anna.post("/posts/the-kitchen-table/edit", {"title": "The kitchen table", "body": "From this window.", "version": "1"})
    seen = page(answer)
    assert answer.status_code == 409
    assert "From the other window." in seen.get_element_by_id("theirs").text
    assert find(seen, "textarea[name=body]")[0].text.strip() == "From this window."
    assert "From the other window." in board.cy.get("/posts/the-kitchen-table").text
    fields = dict(next(found for found in seen.forms if found.get("action") == "/posts/the-kitchen-table/edit").form_values())
    assert board.anna.post("/posts/the-kitchen-table/edit", fields).status_code == 303
    assert "From this window." in board.cy.get("/posts/the-kitchen-table").text


def test_topics_changed_in_another_window_are_shown_before_they_are_changed_again(board: Board, post: Post) -> None:
    anna = board.anna
    path = "/posts/the-kitchen-table/edit"

    def fields(answer: TestResponse) -> dict[str, str]:
        return dict(next(found for found in page(answer).forms if found.get("action") == path).form_values())

    one_window, other = fields(anna.get(path)), fields(anna.get(path))
    assert anna.post(path, {**one_window, "topics": "Tutoring"}).status_code == 303
    refused = anna.post(path, {**other, "topics": "Money"})
    assert refused.status_code == 409 and "Topics: Tutoring" in refused.text
    with board.app.app_context():
        assert revising.topic_names(post.id) == ["Tutoring"]
    assert anna.post(path, fields(refused)).status_code == 303
    with board.app.app_context():
        assert revising.topic_names(post.id) == ["Money"]


@pytest.mark.parametrize("path", ["/posts/new", "/posts/the-kitchen-table/edit"])
def test_asking_for_the_head_alone_is_reading(board: Board, post: Post, path: str) -> None:
    with having(board.app, ratelimit_enabled=True):
        for _ in range(25):
            assert board.anna.client.head(path).status_code == 200
    assert board.bo.client.head("/posts/the-kitchen-table/edit").status_code == 403


def test_others_cannot_edit_and_keep_what_they_typed(board: Board, post: Post) -> None:
    for visitor in (board.bo, board.mo):
        assert visitor.get("/posts/the-kitchen-table/edit").status_code == 403
        answer = visitor.post("/posts/the-kitchen-table/edit", {"title": "Mine", "body": "My long text."})
        assert answer.status_code == 403
        assert "My long text." in answer.text
    assert "My long text." not in board.cy.get("/posts/the-kitchen-table").text


def test_a_hidden_post_is_not_changed(board: Board, post: Post) -> None:
    hide(board, post.id)
    assert board.anna.get(f"/posts/{post.id}/edit").status_code == 403
    assert board.anna.post(f"/posts/{post.id}/edit", {"title": "T", "body": "Changed."}).status_code == 403
    with board.app.app_context():
        assert db.session.execute(select(func.count()).select_from(PostRevision)).scalar_one() == 1


def test_a_draft_in_progress_is_brought_back_into_its_own_form(board: Board, post: Post) -> None:
    anna = board.anna
    with board.app.app_context(), writing():
        keeping.keep(f"/posts/{post.id}/edit", {"title": "Half a title", "body": "Half a text", "version": "1"}, member_id=anna.id)
    assert "Half a text" in anna.get("/posts/the-kitchen-table/edit").text
    assert "Half a text" not in anna.get("/posts/new").text


@pytest.mark.parametrize("version", ["x", "-1", "9" * 30, "1.5", "١"])
def test_a_damaged_version_is_a_clear_answer(board: Board, post: Post, version: str) -> None:
    answer = board.anna.post("/posts/the-kitchen-table/edit", {"title": "T", "body": "My long text.", "version": version})
    assert answer.status_code == 422
    assert "This form’s version is damaged." in answer.text
    assert "My long text." in answer.text


def test_junk_in_a_post_is_refused_with_the_cleaned_text(board: Board) -> None:
    token = board.anna.token()
    raw = f"csrf_token={quote(token)}&title=A+title&body=before%00after%ff".encode()
    answer = board.anna.client.post("/posts/new", data=raw, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400
    assert "beforeafter" in answer.text
    with board.app.app_context():
        assert db.session.execute(select(func.count()).select_from(Post)).scalar_one() == 0


def test_a_form_over_the_limit_is_413(board: Board) -> None:
    answer = board.anna.client.post("/posts/new", data={"title": "T", "body": "x" * (2 * 1024 * 1024 + 1)})
    assert answer.status_code == 413


def test_an_articles_statements_stay_under_their_bound(app: Flask, board: Board, post: Post) -> None:
    cy = board.cy
    with counted(app) as seen:
        cy.get("/posts/the-kitchen-table")
    assert len(seen) <= 4, seen
    with app.app_context(), writing():
        draft = publishing.publish_new(board.anna.viewer, title="A draft", source="Words.", state=PostState.DRAFT)
        assert revising.newest(draft.id).number == 1
