"""Settings: each read once, from the right place, and refused with a sentence that names it. Nothing here needs a database."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from blog import config
from blog.config import ROOT, USUAL_NAMES, BadSetting, Settings, load

KEY = "9f2c41d07be86a5321fedcba98765430a1b2c3d4"


def read(tmp_path: Path, toml: str = "", environ: dict[str, str] | None = None, **overrides: Any) -> Settings:
    """The settings in development, with this config.toml and this environment and nothing else."""
    if toml:
        (tmp_path / "config.toml").write_text(toml, encoding="utf-8")
    return load({"PARLEY_ENV": "development", **(environ or {})}, instance=str(tmp_path), **overrides)


def refusal(tmp_path: Path, toml: str = "", **environ: str) -> str:
    """The sentence that these settings are refused with."""
    with pytest.raises(BadSetting) as refused:
        read(tmp_path, toml, environ)
    assert refused.value.sentence.rstrip().endswith((".", "'")), refused.value.sentence
    assert "\n" not in refused.value.sentence
    return refused.value.sentence


# A value other than the default for every setting, as text, and what it is read as.
SAMPLES: dict[str, tuple[str, Any]] = {
    "env": ("development", "development"),
    "secret_key": (KEY, KEY),
    "secret_key_fallbacks": (f"{KEY}x, {KEY}y", (f"{KEY}x", f"{KEY}y")),
    "database_url": ("postgresql://parley@db/parley", "postgresql+psycopg://parley@db/parley"),
    "redis_url": ("redis://localhost:6379/1", "redis://localhost:6379/1"),
    "base_url": ("https://board.example.org/", "https://board.example.org"),
    "hosts": ("Board.example.org, other.example.org", ("board.example.org", "other.example.org")),
    "proxies": ("2", 2),
    "bind": ("0.0.0.0", "0.0.0.0"),
    "port": ("8123", 8123),
    "web_concurrency": ("3", 3),
    "threads": ("4", 4),
    "ratelimit_enabled": ("0", False),
    "demo_password": ("a long one for the demo", "a long one for the demo"),
    "mail_server": ("mail.example.org", "mail.example.org"),
    "mail_port": ("25", 25),
    "mail_username": ("parley", "parley"),
    "mail_password": ("opensesame", "opensesame"),
    "mail_use_tls": ("off", False),
    "mail_use_ssl": ("yes", True),
    "mail_from": ("board@example.org", "board@example.org"),
    "title": ("The kitchen table", "The kitchen table"),
    "zone": ("Europe/Amsterdam", "Europe/Amsterdam"),
    "byline": ("ISO", "iso"),
    "publishing": ("authors", "authors"),
    "writing_needs_verified": ("0", False),
    "notes_exported": ("0", False),
    "log_names": ("1", True),
    "registration": ("Invited", "invited"),
    "inviting": ("moderators", "moderators"),
    "first_texts_wait": ("2", 2),
    "newcomer_days": ("0", 0),
    "newcomer_texts": ("5", 5),
    "newcomer_links": ("1", 1),
    "newcomer_comments_hourly": ("6", 6),
    "newcomer_posts_hourly": ("2", 2),
    "typing_seconds": ("4", 4),
    "holding_rule": ("1", 1),
    "log_level": ("warning", "warning"),
}


def test_there_is_a_sample_of_every_setting() -> None:
    assert set(SAMPLES) == {item.name for item in fields(Settings)} - {"instance"}, "Add the new setting to SAMPLES of tests/test_config.py."


@pytest.mark.parametrize("name", SAMPLES)
def test_a_setting_is_read_from_the_prefixed_variable(tmp_path: Path, name: str) -> None:
    raw, value = SAMPLES[name]
    assert getattr(read(tmp_path, environ={f"PARLEY_{name.upper()}": raw}), name) == value


@pytest.mark.parametrize("name", SAMPLES)
def test_only_usual_names_go_without_prefix(tmp_path: Path, name: str) -> None:
    """TITLE, ZONE and the like belong to other programs as often as to us."""
    raw, value = SAMPLES[name]
    found = getattr(read(tmp_path, environ={name.upper(): raw}), name)
    default = "development" if name == "env" else next(item.default for item in fields(Settings) if item.name == name)
    assert found == (value if name in USUAL_NAMES else default)


def test_usual_names_are_settings() -> None:
    assert set(SAMPLES) >= USUAL_NAMES


@pytest.mark.parametrize("name", SAMPLES)
def test_a_setting_is_read_from_a_file_that_a_variable_names(tmp_path: Path, name: str) -> None:
    raw, value = SAMPLES[name]
    secret = tmp_path / "secret"
    secret.write_text(f"  {raw}\n", encoding="utf-8")
    environ = {f"PARLEY_{name.upper()}_FILE": str(secret)}
    if name == "env":
        assert load(environ, instance=str(tmp_path)).env == value
    else:
        assert getattr(read(tmp_path, environ=environ), name) == value


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "env"])
def test_a_setting_is_read_from_config_toml(tmp_path: Path, name: str) -> None:
    raw, value = SAMPLES[name]
    assert getattr(read(tmp_path, toml=f'{name} = "{raw}"\n'), name) == value


def test_toml_says_numbers_switches_and_lists_in_its_own_way(tmp_path: Path) -> None:
    found = read(tmp_path, toml='port = 8123\nratelimit_enabled = false\nmail_use_ssl = true\nhosts = ["a.example.org", "b.example.org"]\n')
    assert (found.port, found.ratelimit_enabled, found.mail_use_ssl, found.hosts) == (8123, False, True, ("a.example.org", "b.example.org"))


def test_the_nearest_source_wins(tmp_path: Path) -> None:
    """PARLEY_X over X over config.toml over the default; a _FILE ranks as its variable."""
    file = tmp_path / "port"
    file.write_text("5", encoding="utf-8")
    toml = "port = 2\n"
    assert read(tmp_path).port == 8000
    assert read(tmp_path, toml).port == 2
    assert read(tmp_path, toml, {"PORT_FILE": str(file)}).port == 5
    assert read(tmp_path, toml, {"PORT": "3", "PORT_FILE": str(file)}).port == 3
    assert read(tmp_path, toml, {"PORT": "3", "PARLEY_PORT_FILE": str(file)}).port == 5
    assert read(tmp_path, toml, {"PORT": "3", "PARLEY_PORT": "4", "PARLEY_PORT_FILE": str(file)}).port == 4
    assert read(tmp_path, toml, {"PARLEY_PORT": "4"}, port=6).port == 6


def test_the_instance_folder_comes_from_the_environment_and_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load({"PARLEY_ENV": "development", "PARLEY_INSTANCE": "here"}).instance == str(tmp_path / "here")
    assert load({"PARLEY_ENV": "development"}).instance == str(ROOT / "instance")
    assert load({"PARLEY_ENV": "development", "PARLEY_INSTANCE": "here"}).sqlalchemy_url == f"sqlite:///{tmp_path}/here/parley.db"


@pytest.mark.parametrize(("name", "values"), [
    ("PARLEY_ENV", ["prod", "", "debug"]),
    ("PORT", ["0", "65536", "-1", "eighty", "", "8000.0", "8 000"]),
    ("PARLEY_PROXIES", ["-1", "10", "yes"]),
    ("WEB_CONCURRENCY", ["0", "65", "auto"]),
    ("PARLEY_THREADS", ["0", "1000"]),
    ("RATELIMIT_ENABLED", ["maybe", "2", "nein"]),
    ("DATABASE_URL", ["mysql://db/parley", "parley.db", "/var/parley.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "postgresql://u:p@db:port/parley", "postgresql://u:p@db:99999/parley",
                      "postgresql://u:p@[::1/db"]),
    ("REDIS_URL", ["localhost:6379", "http://localhost", "redis://host:port/0", "redis://host:99999", "redis://host/first", "redis://[::1/0", "unix://"]),
    ("PARLEY_BASE_URL", ["board.example.org", "ftp://board.example.org", "https://", "https://b.example.org/blog", "https://b.example.org?x=1",
                         "http://[::1", "https://b.example.org:99999", "https://b.example.org:abc", "https://b.example.org:", "https://b.example.org:0",
                         "https://u:p@b.example.org", "https://board example.org", "https://bürger.example.org", "https://1.2.3"]),
    ("PARLEY_HOSTS", ["https://a.example.org", "a.example.org/", "a.example.org b.example.org", "*.example.org", "a.example.org:http", "[::1"]),
    ("PARLEY_BIND", ["", "not an address", "127.0.0.1:8000", "http://127.0.0.1"]),
    ("PARLEY_TITLE", ["", "  ", "Two\nlines", "T" * 101]),
    ("MAIL_SERVER", ["smtp://mail.example.org", "mail.example.org:587", "mail example"]),
    ("MAIL_FROM", ["nonsense", "board@", "@example.org", "a b@example.org", "Board <board>", "a@example.org, b@example.org", "büro@example.org",
                   "Board\n<board@example.org>"]),
    ("SECRET_KEY_FALLBACKS", ["dev", f"{KEY},changeme", "a" * 40]),
    ("PARLEY_ZONE", ["Amsterdam", "Europe/Nowhere", "", "../../etc/passwd", "/etc/localtime"]),
    ("PARLEY_BYLINE", ["american", ""]),
    ("PARLEY_PUBLISHING", ["everybody"]),
    ("PARLEY_LOG_LEVEL", ["loud"]),
    ("MAIL_PORT", ["0", "smtp"]),
    ("SECRET_KEY", ["dev", "changeme", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]),
])
def test_a_value_that_makes_no_sense_is_refused_with_a_sentence_that_names_it(tmp_path: Path, name: str, values: list[str]) -> None:
    for value in values:
        assert name in refusal(tmp_path, **{name: value}), value


def test_a_secret_is_not_repeated_in_its_refusal(tmp_path: Path) -> None:
    for name, value in (("SECRET_KEY", "secret"), ("SECRET_KEY_FALLBACKS", "opensesame"), ("DATABASE_URL", "mysql://parley:opensesame@db/parley"),
                        ("DATABASE_URL", "postgresql://parley:opensesame@db:port/parley"), ("REDIS_URL", "http://:opensesame@host"),
                        ("REDIS_URL", "redis://:opensesame@host:port")):
        assert value not in refusal(tmp_path, **{name: value})
        assert "opensesame" not in refusal(tmp_path, **{name: value})


def test_a_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "nothing"
    sentence = refusal(tmp_path, SECRET_KEY_FILE=str(missing))
    assert "SECRET_KEY_FILE" in sentence
    assert str(missing) in sentence
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    assert "SECRET_KEY_FILE" in refusal(tmp_path, SECRET_KEY_FILE=str(tmp_path / "bytes"))
    assert "SECRET_KEY_FILE" in refusal(tmp_path, SECRET_KEY_FILE=str(tmp_path))


def test_a_broken_or_strange_config_toml_is_named(tmp_path: Path) -> None:
    assert "config.toml" in refusal(tmp_path, toml="port = = 3")
    assert "'prot'" in refusal(tmp_path, toml="prot = 8000\n")
    assert "port" in refusal(tmp_path, toml='port = "eighty"\n')


def test_postgresql_addresses_are_brought_to_one_spelling(tmp_path: Path) -> None:
    for scheme in ("postgres://", "postgresql://", "postgresql+psycopg://"):
        assert read(tmp_path, environ={"DATABASE_URL": f"{scheme}u:p@db:5432/parley?sslmode=require"}).sqlalchemy_url == (
            "postgresql+psycopg://u:p@db:5432/parley?sslmode=require")


def test_https_alone_makes_cookies_secure(tmp_path: Path) -> None:
    plain = config.flask_config(read(tmp_path, environ={"PARLEY_BASE_URL": "http://board.example.org"}))
    secure = config.flask_config(read(tmp_path, environ={"PARLEY_BASE_URL": "https://board.example.org"}))
    assert (plain["SESSION_COOKIE_SECURE"], plain["SESSION_COOKIE_NAME"]) == (False, "parley")
    assert (secure["SESSION_COOKIE_SECURE"], secure["SESSION_COOKIE_NAME"]) == (True, "__Host-parley")
    assert secure["SESSION_COOKIE_HTTPONLY"] and plain["SESSION_COOKIE_HTTPONLY"]


def test_hosts_are_the_base_address_those_named_and_this_machine(tmp_path: Path) -> None:
    found = read(tmp_path, environ={"PARLEY_BASE_URL": "https://Board.example.org:8443", "PARLEY_HOSTS": "Other.example.org"})
    assert found.accepted_hosts == {"board.example.org", "other.example.org", "127.0.0.1", "localhost", "::1", "[::1]"}


def test_a_host_may_be_given_with_a_port_which_is_not_asked(tmp_path: Path) -> None:
    found = read(tmp_path, environ={"PARLEY_HOSTS": "a.example.org:8000, [::2]:443, ::3, 192.0.2.7:80"})
    assert found.hosts == ("a.example.org", "::2", "::3", "192.0.2.7")


@pytest.mark.parametrize(("base", "given", "sender"), [
    ("https://board.example.org", "", "The table <parley@board.example.org>"),
    ("http://[::1]:8000", "", "The table <parley@[IPv6:::1]>"),
    ("", "board@example.org", "The table <board@example.org>"),
    ("", " Us, together <board@example.org> ", ""),
    ("", '"Us, together" <board@example.org>', '"Us, together" <board@example.org>'),
    ("", "Parley <board@example.org>", "Parley <board@example.org>"),
])
def test_the_sender_of_mails_has_a_name_and_an_address(tmp_path: Path, base: str, given: str, sender: str) -> None:
    environ = {"PARLEY_BASE_URL": base, "MAIL_FROM": given, "PARLEY_TITLE": "The table"}
    if not sender:
        assert "MAIL_FROM" in refusal(tmp_path, **environ)
        return
    assert str(read(tmp_path, environ=environ).sender) == sender


def test_production_refuses_a_short_key_among_the_older_ones(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as refused:
        load({"PARLEY_ENV": "production", "SECRET_KEY": KEY, "SECRET_KEY_FALLBACKS": f"{KEY}x,{KEY[:31]}"}, instance=str(tmp_path))
    assert "SECRET_KEY_FALLBACKS" in refused.value.sentence


def test_bodies_are_limited_for_every_kind_of_form(tmp_path: Path) -> None:
    chosen = config.flask_config(read(tmp_path))
    assert chosen["MAX_CONTENT_LENGTH"] == chosen["MAX_FORM_MEMORY_SIZE"] == 2 * 1024 * 1024
    assert chosen["MAX_FORM_PARTS"] == 100


# -- the key


@pytest.mark.parametrize("key", ["dev", "secret", "changeme", "0" * 64, "abc" * 20, KEY[:31], "SECRET_KEY"])
def test_production_refuses_a_weak_key(tmp_path: Path, key: str) -> None:
    with pytest.raises(BadSetting) as refused:
        load({"PARLEY_ENV": "production", "SECRET_KEY": key}, instance=str(tmp_path))
    assert "SECRET_KEY" in refused.value.sentence


def test_production_is_what_you_get_unless_you_say_otherwise_and_wants_a_key(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as refused:
        load({}, instance=str(tmp_path))
    assert "SECRET_KEY" in refused.value.sentence
    assert load({"SECRET_KEY": KEY}, instance=str(tmp_path)).is_production
    assert not (tmp_path / "secret_key").exists()


def test_development_makes_the_key_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = config.with_kept_key(read(tmp_path / "new")).secret_key
    assert len(first) >= 64
    file = tmp_path / "new" / "secret_key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert config.with_kept_key(read(tmp_path / "new")).secret_key == first
    assert config.with_kept_key(read(tmp_path / "other")).secret_key != first
    assert not list(file.parent.glob(".secret_key*"))


def test_starts_at_the_same_time_keep_one_key(tmp_path: Path) -> None:
    chosen = read(tmp_path)
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(lambda _: config.with_kept_key(chosen).secret_key, range(64)))) == 1


def test_a_given_key_is_not_written_down(tmp_path: Path) -> None:
    assert config.with_kept_key(read(tmp_path, environ={"SECRET_KEY": KEY})).secret_key == KEY
    assert not (tmp_path / "secret_key").exists()


def test_an_empty_kept_key_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("\n", encoding="ascii")
    with pytest.raises(BadSetting) as refused:
        config.with_kept_key(read(tmp_path))
    assert str(tmp_path / "secret_key") in refused.value.sentence


# -- a refused start


@pytest.mark.parametrize(("environ", "named"), [
    ({"PARLEY_ENV": "production"}, "SECRET_KEY"),
    ({"PARLEY_ENV": "production", "SECRET_KEY": "changeme"}, "SECRET_KEY"),
    ({"PARLEY_ENV": "development", "PORT": "eighty"}, "PORT"),
    ({"PARLEY_ENV": "development", "PARLEY_INSTANCE": "/proc/nowhere"}, "PARLEY_INSTANCE"),
    ({"PARLEY_ENV": "development", "SECRET_KEY_FILE": "/nothing/here"}, "SECRET_KEY_FILE"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_refused_start_ends_with_one_sentence_and_no_traceback(tmp_path: Path, environ: dict[str, str], named: str) -> None:
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "LC_ALL"}}
    ended = subprocess.run([sys.executable, "-c", "import app"], cwd=ROOT, env={**kept, "PARLEY_INSTANCE": str(tmp_path), **environ},
                           capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr
