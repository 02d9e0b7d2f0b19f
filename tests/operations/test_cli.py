"""The commands behind `make run` and `make serve`, each as a process of its own, as a person or a program starts them."""

import http.client
import os
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import pytest

from blog import config
from blog.config import ROOT
from blog.demo.reading import content
from blog.operations import checking
from tests.conftest import close, make_app
from tests.operations.test_serving import free_port, until

FLASK = (str(Path(sys.executable).with_name("flask")), "--app", "app")
STRONG_KEY = secrets.token_hex(32)


def environment(instance: Path, **settings: str) -> dict[str, str]:
    """What a clean shell gives on, and these settings."""
    return {"PATH": os.environ["PATH"], "HOME": str(instance.parent), "PYTHONUNBUFFERED": "1", "PARLEY_INSTANCE": str(instance), **settings}


def run(*command: str, instance: Path, words: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself. `words` go to its standard input."""
    return subprocess.run([*FLASK, *command], cwd=ROOT, env=environment(instance, **settings), input=words, capture_output=True, text=True, timeout=60)


class Started:
    """A server in a process of its own, and what a browser says to it."""

    def __init__(self, command: str, *options: str, instance: Path, **settings: str) -> None:
        self.port = free_port()
        arguments = [*FLASK, command, "--port", str(self.port), *options]
        self.process = subprocess.Popen(arguments, cwd=ROOT, env=environment(instance, **settings), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.cookies = SimpleCookie()

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """Status and text of a page; with `form`, of the answer to it. Cookies are kept."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            headers = {"Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in self.cookies.items())} if self.cookies else {}
            if form is None:
                connection.request("GET", path, headers=headers)
            else:
                connection.request("POST", path, urlencode(form), {**headers, "Content-Type": "application/x-www-form-urlencoded"})
            response = connection.getresponse()
            for cookie in response.headers.get_all("Set-Cookie") or []:
                self.cookies.load(cookie)
            return response.status, response.read().decode()

    def answers(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}: {self.process.communicate()}")
        return self.ask("/healthz")[0] == 200

    def sign_in(self, username: str, password: str) -> int:
        _, page = self.ask("/login")
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found is not None, page
        return self.ask("/login", {"username": username, "password": password, "csrf_token": found.group(1)})[0]

    def stop(self) -> tuple[int, str, str]:
        """SIGTERM; exit code and what was printed."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


    def end(self) -> None:
        """Whatever it does, it ends, and nothing stays open."""
        self.process.kill()
        with self.process:
            pass


@pytest.fixture
def started() -> Iterator[ExitStack]:
    """Ends what a failed test left running."""
    with ExitStack() as stack:
        yield stack


def start(started: ExitStack, command: str, *options: str, instance: Path, **settings: str) -> Started:
    server = Started(command, *options, instance=instance, **settings)
    started.callback(server.end)
    return server


# -- make run


def test_develop_fills_answers_tells_five_lines_and_keeps_what_is_there(started: ExitStack, tmp_path: Path) -> None:
    instance = tmp_path / "with a space"
    first = start(started, "develop", instance=instance, PARLEY_ENV="development")
    until(first.answers, 60)
    _, front = first.ask("/")
    assert content().posts[-1].title in front
    code, out, err = first.stop()
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == 5
    assert lines[0].endswith(f"http://127.0.0.1:{first.port}/")
    assert "reader, author, moderator, admin" in lines[1]
    assert str(instance) in lines[2]
    assert "Ctrl-C" in lines[3]
    assert "DEMO=0" in lines[4]

    password = lines[1].rsplit(" ", 1)[1]
    second = start(started, "develop", "--no-demo", instance=instance, PARLEY_ENV="development")
    until(second.answers, 60)
    assert second.sign_in("reader", password) == 303
    assert 'action="/logout"' in second.ask("/")[1]
    assert second.ask("/metrics")[1].count(f"\nparley_members {len(content().members)}\n") == 1
    second.process.send_signal(signal.SIGINT)
    code, out, err = second.stop()  # twice told, as by a terminal and by make
    assert (code, err) == (0, "")
    assert out.splitlines()[1] == lines[1]


def test_develop_without_demo_is_empty_and_says_how_an_administrator_is_made(started: ExitStack, tmp_path: Path) -> None:
    empty = start(started, "develop", "--no-demo", instance=tmp_path / "i", PARLEY_ENV="development", DEMO_PASSWORD="not asked for")
    until(empty.answers, 60)
    made = run("members", "create", "ada", "ada@example.org", "--role", "administrator", "--password-stdin", words="correct horse battery\n",
               instance=tmp_path / "i")
    assert made.returncode == 0, made.stderr
    assert "\nparley_members 1\n" in empty.ask("/metrics")[1]
    assert empty.sign_in("ada", "correct horse battery") == 303
    code, out, _ = empty.stop()
    assert code == 0
    assert "members create" in out.splitlines()[1]
    assert not (tmp_path / "i" / "demo_password").exists()


def test_develop_says_that_the_port_is_taken(tmp_path: Path, started: ExitStack) -> None:
    taken = start(started, "develop", "--no-demo", instance=tmp_path / "i", PARLEY_ENV="development")
    until(taken.answers, 60)
    refused = run("develop", "--port", str(taken.port), instance=tmp_path / "i", PARLEY_ENV="development")
    assert refused.returncode == 1
    assert_one_sentence(refused, "PORT")


# -- make serve


def assert_one_sentence(refused: subprocess.CompletedProcess[str], naming: str) -> None:
    assert refused.returncode not in {0, None}
    assert refused.stdout == ""
    assert naming in refused.stderr
    assert "Traceback" not in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1, refused.stderr


@pytest.mark.parametrize(("settings", "naming"), [
    ({}, "SECRET_KEY"),
    ({"SECRET_KEY": "changeme"}, "SECRET_KEY"),
    ({"SECRET_KEY": STRONG_KEY, "FLASK_DEBUG": "1"}, "FLASK_DEBUG"),
    ({"SECRET_KEY": STRONG_KEY, "DATABASE_URL": "postgresql://nobody:hidden-word@127.0.0.1:1/none"}, "DATABASE_URL"),
    ({"SECRET_KEY": STRONG_KEY, "DATABASE_URL": "sqlite:////nowhere/at/all/parley.db"}, "DATABASE_URL"),
    ({"SECRET_KEY": STRONG_KEY, "REDIS_URL": "redis://127.0.0.1:1"}, "REDIS_URL"),
])
def test_serve_refuses_with_one_sentence_that_names_the_setting(settings: dict[str, str], naming: str, tmp_path: Path) -> None:
    refused = run("serve", "--port", "1", instance=tmp_path / "i", **settings)
    assert_one_sentence(refused, naming)
    assert "hidden-word" not in refused.stderr


@pytest.mark.parametrize(("settings", "naming"), [
    ({"SECRET_KEY": "short-but-quite-random"}, "SECRET_KEY"),
    ({"SECRET_KEY": "ab" * 32}, "SECRET_KEY"),
    ({"SECRET_KEY_FILE": "/nowhere/key"}, "SECRET_KEY_FILE"),
    ({"SECRET_KEY": STRONG_KEY, "PARLEY_BASE_URL": "board.example.org"}, "PARLEY_BASE_URL"),
    ({"SECRET_KEY": STRONG_KEY, "PARLEY_ENV": "staging"}, "PARLEY_ENV"),
    ({"SECRET_KEY": STRONG_KEY, "PORT": "http"}, "PORT"),
    ({"SECRET_KEY": STRONG_KEY, "DATABASE_URL": "mysql://board"}, "DATABASE_URL"),
])
def test_settings_that_make_no_sense_are_refused_by_name(settings: dict[str, str], naming: str, tmp_path: Path) -> None:
    with pytest.raises(config.BadSetting) as refused:
        config.load(settings, instance=str(tmp_path))
    assert naming in refused.value.sentence


def test_serve_takes_no_key_that_development_made(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text(STRONG_KEY)
    assert_one_sentence(run("serve", "--port", "1", instance=tmp_path), "SECRET_KEY")


def test_serve_refuses_a_folder_that_can_not_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert_one_sentence(run("serve", "--port", "1", instance=tmp_path / "file" / "i", SECRET_KEY=STRONG_KEY), "PARLEY_INSTANCE")


def test_a_folder_that_takes_no_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")  # what root would not meet

    board = make_app(tmp_path)
    monkeypatch.setattr(checking.tempfile, "TemporaryFile", refuse)
    with board.app_context(), pytest.raises(checking.CannotStart) as refused:
        checking.ground()
    close(board)
    assert str(tmp_path) in refused.value.sentence
    assert "PARLEY_INSTANCE" in refused.value.sentence


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_serve_refuses_another_programs_file_and_leaves_it_as_it_was(journal: str, tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA journal_mode = {journal}")
        other.execute("CREATE TABLE recipe (title TEXT)")
        other.commit()
    before = path.read_bytes()
    assert_one_sentence(run("serve", "--port", "1", instance=tmp_path, SECRET_KEY=STRONG_KEY), str(path))
    assert path.read_bytes() == before


def test_serve_refuses_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "parley.db").write_text("Dear diary, " * 1000)
    assert_one_sentence(run("serve", "--port", "1", instance=tmp_path, SECRET_KEY=STRONG_KEY), str(tmp_path / "parley.db"))


def test_two_servers_started_at_once_share_an_empty_instance(started: ExitStack, tmp_path: Path) -> None:
    both = [start(started, "serve", instance=tmp_path / "i", SECRET_KEY=STRONG_KEY) for _ in range(2)]
    made = run("members", "create", "ada", "ada@example.org", "--role", "administrator", instance=tmp_path / "i", SECRET_KEY=STRONG_KEY)
    assert made.returncode == 0, made.stderr
    assert re.search(r"^http://127\.0\.0\.1:8000/reset/\S+$", made.stdout, re.MULTILINE)
    for server in both:
        until(server.answers, 60)
        assert server.ask("/readyz") == (200, "ready\n")
        assert "\nparley_members 1\nparley_posts 0\n" in re.sub(r"#.*\n", "", "\n" + server.ask("/metrics")[1])
        assert server.ask("/rules")[0] == 200
        assert server.ask("/dev/mail")[0] == 404
    for server in both:
        code, _, err = server.stop()
        assert code == 0
        assert "Traceback" not in err
    again = run("upgrade", instance=tmp_path / "i", SECRET_KEY=STRONG_KEY)
    assert (again.returncode, again.stderr) == (0, "")


def test_develop_is_not_for_production(tmp_path: Path) -> None:
    assert_one_sentence(run("develop", instance=tmp_path / "i", SECRET_KEY=STRONG_KEY), "PARLEY_ENV")
