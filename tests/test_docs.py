"""What the documents promise is there: every setting with its default and sentence, every command, target, variable and file they name."""

import re
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click
import pytest
from flask import Flask

from blog.config import ROOT, USUAL_NAMES, Settings

SETTINGS = ROOT / "docs" / "settings.md"
DOCUMENTS = sorted(path for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")) if path.is_file())
NAMES = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS]

# Variables that a document may name though they are no settings of the board.
OTHERS = {"PARLEY_X", "PARLEY_NAME", "PARLEY_NAME_FILE"}


def variables(name: str) -> list[str]:
    """The variables that a setting is read from, the winning one first."""
    return [f"PARLEY_{name.upper()}", *([name.upper()] if name in USUAL_NAMES else [])]


def line(item: Field[Any]) -> str:
    """The line of docs/settings.md for one setting."""
    assert item.default is not MISSING
    default = item.default
    shown = "instance/" if item.name == "instance" else str(int(default)) if isinstance(default, bool) else ",".join(default) if default == () else str(default)
    named = ", ".join(f"`{variable}`" for variable in variables(item.name))
    return f"| `{item.name}` | {named} | {f'`{shown}`' if shown else 'empty'} | {item.metadata['sentence']} |"


def test_every_setting_is_documented_with_its_default_and_sentence() -> None:
    """The table is written by hand, or printed by this test when it differs."""
    written = [row for row in SETTINGS.read_text(encoding="utf-8").splitlines() if row.startswith("| `")]
    wanted = [line(item) for item in fields(Settings)]
    assert written == wanted, "The table of docs/settings.md should be:\n" + "\n".join(wanted)


def test_every_setting_has_a_sentence_for_people() -> None:
    for item in fields(Settings):
        sentence = item.metadata["sentence"]
        assert sentence.endswith("."), item.name
        assert sentence[0].isupper() or sentence[0].isdigit(), item.name
        assert "|" not in sentence, item.name


def test_there_are_documents_to_read() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md", "docs/settings.md", "docs/operating.md"} <= set(NAMES)
    assert any(name.startswith("docs/decisions/") for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_links_between_documents_lead_somewhere(name: str) -> None:
    path = ROOT / name
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            continue
        place = (path.parent / unquote(target.split("#")[0])).resolve()
        assert place.exists(), f"{name} links to {target}, which is not there"
        assert place.is_relative_to(ROOT), f"{name} links to {target}, outside of the project"


@pytest.mark.parametrize("name", NAMES)
def test_targets_that_documents_name_are_in_the_makefile(name: str) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"run", "test", "serve", "help", "check"} <= targets
    text = (ROOT / name).read_text(encoding="utf-8")
    code = "\n".join([*re.findall(r"```.*?```", text, re.DOTALL), *re.findall(r"`[^`\n]+`", text)])
    for target in re.findall(r"(?<![\w/-])make ([a-z][\w-]*)", code):
        assert target in targets, f"{name} names `make {target}`, which the Makefile does not have"


@pytest.mark.parametrize("name", NAMES)
def test_settings_that_documents_name_exist(name: str) -> None:
    known = {variable for item in fields(Settings) for variable in variables(item.name)}
    known |= {f"{variable}_FILE" for variable in known} | OTHERS
    for variable in re.findall(r"\bPARLEY_[A-Z_]+\b", (ROOT / name).read_text(encoding="utf-8")):
        assert variable in known, f"{name} names {variable}, which is no setting"


def commands(app: Flask) -> dict[str, click.Command]:
    """The commands of the board itself, by what is typed after `flask --app app`."""
    found: dict[str, click.Command] = {}
    for name, command in app.cli.commands.items():
        if name == "db":
            continue
        if isinstance(command, click.Group):
            found |= {f"{name} {inner}": below for inner, below in command.commands.items()}
        else:
            found[name] = command
    return found


@pytest.mark.one_database
def test_every_command_says_what_it_does_and_is_documented(app: Flask) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert len(commands(app)) >= 5
    for name, command in commands(app).items():
        assert command.help, f"flask {name}: a docstring is its help"
        assert re.search(rf"--app app {name}\b", text) or re.search(rf"\(FLASK\) {name}\b", makefile), f"`flask --app app {name}` is in no document"


@pytest.mark.one_database
@pytest.mark.parametrize("name", NAMES)
def test_commands_that_documents_name_exist(app: Flask, name: str) -> None:
    known = commands(app)
    for typed in re.findall(r"flask --app app ([a-z]+(?: [a-z]+)?)", (ROOT / name).read_text(encoding="utf-8")):
        word = typed.split()[0]
        assert typed in known or word in known or word == "db", f"{name} names `flask --app app {typed}`, which there is not"


def test_the_readme_names_the_two_commands_first() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first = re.search(r"```sh\n(.*?)```", text, re.DOTALL)
    assert first
    assert [words.split("#")[0].strip() for words in first[1].splitlines()] == ["make run", "make test"]


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(Path(name).name[:4]) for name in NAMES if re.match(r"docs/decisions/\d{4}-", name))
    assert numbers == list(range(1, len(numbers) + 1))
