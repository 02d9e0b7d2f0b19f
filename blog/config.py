"""Every setting once: its name, type, default and sentence. Only this module reads the environment.

Order of precedence: the default, then `config.toml` in the instance folder, then the environment. A setting `NAME` may be
given as `PARLEY_NAME` or `NAME` (the prefixed one wins), and `NAME_FILE` names a file that holds the value (container
secrets). A value that makes no sense stops the start with a sentence (`BadSetting`).
"""

import ipaddress
import os
import re
import secrets
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from email.errors import HeaderParseError, MessageDefect
from email.headerregistry import Address
from email.utils import getaddresses, parseaddr
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import current_app
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).resolve().parent.parent

# Keys that stand in examples all over the world: whoever starts with one has no key.
PLACEHOLDER_KEYS = frozenset({"dev", "secret", "secret_key", "secretkey", "changeme", "change-me", "password", "test"})
SHORTEST_KEY = 32
LONGEST_TITLE = 100
HIGHEST_PORT = 65_535

# A host's name as programs write it: other alphabets in their xn-- form, as browsers send them.
_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9])?\.?", re.IGNORECASE)
ABSENT_KEY = "SECRET_KEY is not set; production takes it from outside. Make one with: python3 -c 'import secrets; print(secrets.token_hex(32))'"


class BadSetting(Exception):
    """A setting that can't be used. `sentence` names it and says what to set instead."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def _text(name: str, raw: str) -> str:
    return raw.strip()


def _switch(name: str, raw: str) -> bool:
    word = raw.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off", ""}:
        return False
    raise BadSetting(f"{name} is {raw!r}; set it to 1 or 0.")


def _number(lowest: int, highest: int) -> Callable[[str, str], int]:
    def read(name: str, raw: str) -> int:
        try:
            value = int(raw.strip())
        except ValueError:
            value = lowest - 1
        if not lowest <= value <= highest:
            raise BadSetting(f"{name} is {raw!r}; set it to a whole number from {lowest} to {highest}.")
        return value

    return read


def _choice(*words: str) -> Callable[[str, str], str]:
    def read(name: str, raw: str) -> str:
        word = raw.strip().lower()
        if word not in words:
            raise BadSetting(f"{name} is {raw!r}; set it to one of: {', '.join(words)}.")
        return word

    return read


def _title(name: str, raw: str) -> str:
    value = raw.strip()
    if not 0 < len(value) <= LONGEST_TITLE or not value.isprintable():
        raise BadSetting(f"{name} is {raw!r}; set it to a name of 1 to {LONGEST_TITLE} characters on one line.")
    return value


def _is_host(word: str) -> bool:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return _HOST.fullmatch(word) is not None and not word.replace(".", "").isdigit()
    return True


def _host(name: str, raw: str) -> str:
    value = raw.strip()
    if value and not _is_host(value):
        raise BadSetting(f"{name} is {raw!r}; set it to a host name or an IP address, without scheme and port.")
    return value


def _bind(name: str, raw: str) -> str:
    if not raw.strip():
        raise BadSetting(f"{name} is empty; set it to an address of this machine such as 127.0.0.1 or 0.0.0.0.")
    return _host(name, raw)


def _hosts(name: str, raw: str) -> tuple[str, ...]:
    """Host names; a port is left out, as any is answered."""
    names = []
    for word in (word.strip().lower() for word in raw.split(",")):
        host = word if _is_host(word) else re.sub(r":[0-9]{1,5}$", "", word)
        host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if word and not _is_host(host):
            raise BadSetting(f"{name} has {word!r}; name hosts alone, with commas, such as board.example.org, www.example.org.")
        names.append(host)
    return tuple(name for name in names if name)


def _keys(name: str, raw: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in raw.split(",") if word.strip())


def _address(name: str, raw: str) -> str:
    value = raw.strip().rstrip("/")
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        plain = parts.scheme in {"http", "https"} and _is_host(parts.hostname or "") and parts.port != 0
    except ValueError:  # of a port that is no number, of brackets that do not close
        plain = False
    if not plain or parts.path or parts.query or parts.fragment or "@" in parts.netloc or parts.netloc.endswith(":"):
        raise BadSetting(f"{name} is {raw!r}; set it to an address such as https://board.example.org, without a path.")
    return value


def _sender(name: str, raw: str) -> str:
    """A mail address, alone or as `Name <address>`."""
    value = raw.strip()
    if not value:
        return ""
    shown, address = found[0] if len(found := getaddresses([value])) == 1 else ("", "")
    try:
        domain = Address(addr_spec=address).domain
        written = str(Address(display_name=shown, addr_spec=address))
    except (HeaderParseError, MessageDefect, ValueError, IndexError):
        domain = written = ""
    if not value.isprintable() or not domain or not (_is_host(domain) or domain.startswith("[")):
        raise BadSetting(f"{name} is {raw!r}; set it to a mail address such as board@example.org or Parley <board@example.org>.")
    return written


def _zone(name: str, raw: str) -> str:
    try:
        ZoneInfo(raw.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadSetting(f"{name} is {raw!r}; set it to a zone such as UTC or Europe/Amsterdam.") from None
    return raw.strip()


def _database(name: str, raw: str) -> str:
    value = raw.strip()
    for prefix in ("postgres://", "postgresql://"):
        if value.startswith(prefix):
            value = "postgresql+psycopg://" + value.removeprefix(prefix)
    if value and not value.startswith(("postgresql+psycopg://", "sqlite:///")):
        raise BadSetting(f"{name} must begin with postgresql:// or sqlite:///; leave it empty for SQLite in the instance folder.")
    try:
        url = make_url(value) if value else None
    except (ArgumentError, ValueError):
        url = None
    if value and (url is None or not (url.port is None or 0 < url.port <= HIGHEST_PORT)):
        raise BadSetting(f"{name} can’t be read; it has the form postgresql://user:password@host:5432/name, signs such as @ or / in it as %40 or %2F.")
    if url is not None and value.startswith("sqlite:") and url.database in {None, "", ":memory:"}:
        raise BadSetting(f"{name} names no file; set it to sqlite:////path/to/parley.db, or leave it empty for SQLite in the instance folder.")
    return value


def _redis(name: str, raw: str) -> str:
    value = raw.strip()
    if value and not value.startswith(("redis://", "rediss://", "unix://")):
        raise BadSetting(f"{name} must begin with redis://, rediss:// or unix://; leave it empty to do without Redis.")
    try:
        parts = urlsplit(value)
        plain = bool(parts.path) if parts.scheme == "unix" else parts.port != 0 and re.fullmatch(r"(/[0-9]*)?", parts.path) is not None
    except ValueError:
        plain = False
    if value and not plain:
        raise BadSetting(f"{name} can’t be read; it has the form redis://host:6379/0 (port and database are numbers) or unix:///path/to/socket.")
    return value


def _setting(default: Any, read: Callable[[str, str], Any], sentence: str, secret: bool = False) -> Any:
    return field(default=default, metadata={"read": read, "sentence": sentence, "secret": secret})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings, read and checked. The field `x` is the variable `PARLEY_X` or `X`."""

    env: str = _setting(
        "production", _choice("development", "production"),
        "How strict to be: production refuses weak secrets and debug; development makes a key and lists the mails at /dev/mail."
    )
    instance: str = _setting(str(ROOT / "instance"), _text, "Folder of the database, secrets, uploads and mail.")
    secret_key: str = _setting("", _text, "Signs cookies and links; 32 characters or more. Development makes one once; production takes it from outside.", True)
    secret_key_fallbacks: tuple[str, ...] = _setting((), _keys, "Older keys, with commas, still accepted while a new one takes over.", True)
    database_url: str = _setting("", _database, "PostgreSQL address; empty means SQLite in the instance folder.", True)
    redis_url: str = _setting("", _redis, "Redis address for counters shared by several hosts; empty means a second SQLite file.", True)
    base_url: str = _setting(
        "", _address,
        "Address for absolute links in mails and feeds; https makes cookies Secure and adds HSTS. Empty means http://127.0.0.1 and the port."
    )
    hosts: tuple[str, ...] = _setting(
        (), _hosts,
        "Host names that are answered, with commas, any port; the base address's own and this machine's are always among them."
    )
    proxies: int = _setting(0, _number(0, 9), "How many trusted proxies stand in front; their X-Forwarded headers are believed.")
    bind: str = _setting("127.0.0.1", _bind, "Address that the server listens on.")
    port: int = _setting(8000, _number(1, 65535), "Port that the server listens on.")
    web_concurrency: int = _setting(1, _number(1, 64), "Worker processes of the production server.")
    threads: int = _setting(8, _number(1, 64), "Threads in each worker process.")
    ratelimit_enabled: bool = _setting(True, _switch, "0 switches all budgets, newcomer limits and traps for programs off (for tests and imports).")
    demo_password: str = _setting("", _text, "Password of the demo accounts; empty means made once and kept in the instance folder.", True)
    mail_server: str = _setting("", _host, "SMTP server; empty means one .eml file for each mail in the instance folder.")
    mail_port: int = _setting(587, _number(1, 65535), "Port of the SMTP server.")
    mail_username: str = _setting("", _text, "Name to sign in to the SMTP server with.")
    mail_password: str = _setting("", _text, "Password to sign in to the SMTP server with.", True)
    mail_use_tls: bool = _setting(True, _switch, "Whether to upgrade the SMTP connection with STARTTLS.")
    mail_use_ssl: bool = _setting(False, _switch, "Whether to speak TLS to the SMTP server from the first byte.")
    mail_from: str = _setting("", _sender, "Sender of the mails, an address or Name <address>; empty means parley@ the base address's host.")
    title: str = _setting("Parley", _title, "Name of the board.")
    zone: str = _setting("UTC", _zone, "Time zone that dates are shown in.")
    byline: str = _setting("long", _choice("long", "iso", "relative"), "Form of an article's date: long (Sat, 08/10/2024 - 04:22), iso or relative.")
    publishing: str = _setting("members", _choice("members", "authors"), "Who may publish posts: every verified member, or the role author and above.")
    writing_needs_verified: bool = _setting(True, _switch, "Whether a member must confirm an e-mail address before writing.")
    log_names: bool = _setting(False, _switch, "Whether the public log shows moderators by name instead of by handle (M1, M2).")
    registration: str = _setting(
        "open", _choice("open", "approved", "invited", "closed"),
        "How one joins: open; approved (a moderator admits each newcomer); invited (with a link that a member made); closed."
    )
    inviting: str = _setting("members", _choice("members", "moderators"), "Who may make invitations: members who are no newcomers, or moderators alone.")
    first_texts_wait: int = _setting(
        0, _number(0, 100), "Until so many comments and posts of a member stand on the board, theirs wait for a moderator’s approval; 0: none waits."
    )
    newcomer_days: int = _setting(3, _number(0, 365), "For so many days after joining a member is a newcomer.")
    newcomer_texts: int = _setting(3, _number(0, 100), "Until so many comments and posts of theirs stand on the board a member is a newcomer.")
    newcomer_links: int = _setting(2, _number(0, 50), "A newcomer’s text with more links to elsewhere than this waits for a moderator’s approval.")
    newcomer_comments_hourly: int = _setting(60, _number(1, 1000), "How many comments a newcomer can send in an hour.")
    newcomer_posts_hourly: int = _setting(20, _number(1, 1000), "How many posts a newcomer can send in an hour.")
    typing_seconds: int = _setting(
        0, _number(0, 60),
        "What a newcomer sends sooner than this after the form was opened waits for a moderator; 0: nobody looks at the time."
    )
    holding_rule: int = _setting(4, _number(1, 999), "Number of the rule that the board itself names when a text of a newcomer waits.")
    notes_exported: bool = _setting(True, _switch, "Whether a member who asks for their data gets what moderators noted about them.")
    log_level: str = _setting("info", _choice("debug", "info", "warning", "error"), "How much the log says.")

    @property
    def instance_path(self) -> Path:
        return Path(self.instance)

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def public_url(self) -> str:
        """Scheme and host for absolute links, without a slash at the end."""
        return self.base_url or f"http://127.0.0.1:{self.port}"

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def accepted_hosts(self) -> frozenset[str]:
        """Host names, without port, that a request may name."""
        own = urlsplit(self.public_url).hostname or "127.0.0.1"
        return frozenset({*self.hosts, own.lower(), "127.0.0.1", "localhost", "[::1]", "::1"})

    @property
    def sender(self) -> Address:
        """Who the mails are from: the board's title, where MAIL_FROM gives no name."""
        shown, address = parseaddr(self.mail_from)
        return Address(display_name=shown or self.title, addr_spec=address or f"parley@{self.mail_domain}")

    @property
    def mail_domain(self) -> str:
        """The base address's host as mail writes it: IPv6 in brackets."""
        host = urlsplit(self.public_url).hostname or "localhost"
        return f"[IPv6:{host}]" if ":" in host else host

    @property
    def sqlalchemy_url(self) -> str:
        return self.database_url or f"sqlite:///{self.instance_path / 'parley.db'}"


def load(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read all settings from the environment, the instance's config.toml and `overrides` (tests), and check them.

    Raises BadSetting with the sentence for the console.
    """
    environ = os.environ if environ is None else environ
    instance = str(overrides.get("instance") or environ.get("PARLEY_INSTANCE") or ROOT / "instance")
    instance = str(Path(instance).expanduser().absolute())
    written = _written(Path(instance) / "config.toml")
    values: dict[str, Any] = {"instance": instance}
    known = {item.name for item in fields(Settings)}
    for stranger in sorted(set(written) - known):
        raise BadSetting(f"config.toml names the setting {stranger!r}, which does not exist; docs/settings.md lists all.")
    for item in fields(Settings):
        if item.name == "instance":
            continue
        found = _given(item.name, environ)
        if found is None and item.name in written:
            found = item.name, _plain(written[item.name])
        if found is not None:
            values[item.name] = item.metadata["read"](*found)
    values.update(overrides)
    values["instance"] = instance
    return _checked(Settings(**values))


def is_given(name: str, instance: Path) -> bool:
    """Whether this setting was given from outside: by the environment or the instance's config.toml."""
    return _given(name, os.environ) is not None or name in _written(instance / "config.toml")


def hand_on_port(settings: Settings, port: int | None) -> Settings:
    """The settings with the port that a command was given, and the same for the process that this one becomes."""
    if port is None:
        return settings
    os.environ["PARLEY_PORT"] = str(port)
    return replace(settings, port=port)


def _given(name: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    for variable in (f"PARLEY_{name.upper()}", name.upper()):
        # TITLE, ZONE, ENV and the like belong to other programs as often as to us: only the usual names go without prefix.
        if not variable.startswith("PARLEY_") and name not in USUAL_NAMES:
            continue
        if variable in environ:
            return variable, environ[variable]
        if f"{variable}_FILE" in environ:
            path = Path(environ[f"{variable}_FILE"])
            try:
                return variable, path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise BadSetting(f"{variable}_FILE names {path}, which can't be read.") from None
    return None


USUAL_NAMES = frozenset({
    "secret_key", "secret_key_fallbacks", "database_url", "redis_url", "port", "web_concurrency", "ratelimit_enabled", "demo_password",
    "mail_server", "mail_port", "mail_username", "mail_password", "mail_use_tls", "mail_use_ssl", "mail_from",
})


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ",".join(str(part) for part in value)
    return str(value)


def _written(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSetting(f"{path} can't be read: {error}.") from None


def _checked(settings: Settings) -> Settings:
    if settings.secret_key or settings.is_production:
        key = settings.secret_key
        if not key:
            # Commands from the shell beside `make run` may use the key that development keeps there; `serve` asks `is_given`.
            if not kept_key(settings).exists():
                raise BadSetting(ABSENT_KEY)
        elif _is_weak(key, settings.is_production):
            raise BadSetting(f"SECRET_KEY is too weak; set {SHORTEST_KEY} random characters or more.")
    if any(_is_weak(key, settings.is_production) for key in settings.secret_key_fallbacks):  # each still opens every session
        raise BadSetting(f"SECRET_KEY_FALLBACKS holds a key that is too weak; leave it out, or give keys of {SHORTEST_KEY} random characters or more.")
    if settings.mail_use_ssl and settings.mail_use_tls and settings.mail_server:
        settings = Settings(**{**_values(settings), "mail_use_tls": False})
    return settings


def _is_weak(key: str, production: bool) -> bool:
    return key.lower() in PLACEHOLDER_KEYS or len(set(key)) < 8 or (production and len(key) < SHORTEST_KEY)


def _values(settings: Settings) -> dict[str, Any]:
    return {item.name: getattr(settings, item.name) for item in fields(Settings)}


def with_kept_key(settings: Settings) -> Settings:
    """The settings with a secret key: development's own is made once, mode 600, in the instance folder."""
    if settings.secret_key:
        return settings
    return Settings(**{**_values(settings), "secret_key": kept_secret(kept_key(settings))})


def kept_key(settings: Settings) -> Path:
    """Where development keeps the key that it made."""
    return settings.instance_path / "secret_key"


def kept_secret(path: Path, make: Callable[[], str] = lambda: secrets.token_hex(32)) -> str:
    """The secret in `path`; made first, mode 600, if there is none. Two processes starting at once get the same one."""
    ready_folder(path.parent)
    try:
        if not path.exists():
            # Written whole under another name, then linked: nobody ever reads half a secret, and the first link wins.
            draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(make() + "\n")
            with suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        value = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not plain text"
        raise BadSetting(f"{path} can’t be read or written ({reason}); PARLEY_INSTANCE must name a folder that Parley may write to.") from None
    if not value:
        raise BadSetting(f"{path} is empty; remove it, and the next start makes a new one.")
    return value


def ready_folder(path: Path) -> None:
    """Make the folder if it is missing, for its owner alone: it will hold addresses and hashes. Raises BadSetting if there can be none."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(f"The folder {path} can’t be made ({error.strerror}); set PARLEY_INSTANCE to one that Parley may write to.") from None


def flask_config(settings: Settings) -> dict[str, Any]:
    """What Flask and its extensions read, derived from our settings."""
    return {
        "PARLEY": settings,
        "SECRET_KEY": settings.secret_key,
        "SECRET_KEY_FALLBACKS": list(settings.secret_key_fallbacks),
        "SQLALCHEMY_DATABASE_URI": settings.sqlalchemy_url,
        "MAX_CONTENT_LENGTH": 2 * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 2 * 1024 * 1024,
        "MAX_FORM_PARTS": 100,
        "SESSION_COOKIE_NAME": "__Host-parley" if settings.is_https else "parley",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.is_https,
        "SESSION_COOKIE_PATH": "/",
        "SESSION_REFRESH_EACH_REQUEST": False,  # accounts.routes.recognise sends it anew by the hour
        "PERMANENT_SESSION_LIFETIME": timedelta(days=60),
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_CHECK_DEFAULT": False,
        "TEMPLATES_AUTO_RELOAD": False,
    }


def settings() -> Settings:
    """The settings of the running application."""
    return cast(Settings, current_app.config["PARLEY"])
