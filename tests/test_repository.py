"""What a clone holds: locked requirements with hashes, no registry's address, nobody's machine, no dependency without a use."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from blog.config import ROOT

# Not imported by name, and why they are needed all the same.
CALLED_OTHERWISE = {
    "psycopg": "SQLAlchemy loads it for postgresql+psycopg://",
    "tzdata": "zoneinfo reads it where the system has no time zones",
    "linkify-it-py": "markdown-it-py loads it for bare links",
    "redis": "limits loads it for redis://",
}
# What the tools of a developer's machine call from a shell.
TOOLS = {"mypy", "ruff", "pytest-xdist", "fonttools"}

# Folders that no clone has, where there is no git to ask.
NOT_OURS = {".git", ".venv", "instance", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", "test-results"}


@cache
def files() -> tuple[Path, ...]:
    """Every file that is, or will be, in the repository."""
    asked = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True)
    if asked.returncode == 0 and asked.stdout:
        found = [ROOT / name for name in asked.stdout.split("\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if not NOT_OURS & set(path.relative_to(ROOT).parts)]
    return tuple(path for path in found if path.is_file())


def texts() -> list[tuple[str, str]]:
    """Name and text of every text file."""
    found = []
    for path in files():
        raw = path.read_bytes()
        if b"\0" not in raw:
            found.append((path.relative_to(ROOT).as_posix(), raw.decode("utf-8")))
    assert len(found) > 150
    return found


def test_requirements_and_makefile_name_no_registry() -> None:
    """Where packages come from is the machine's business."""
    address = re.compile(r"(?<!no-emit-)index-url|find-links|trusted-host|[a-z]+://(?!127\.0\.0\.1)|\bgit\+|pypi|pythonhosted|artifactory|nexus", re.IGNORECASE)
    for name in ("requirements.txt", "requirements-dev.txt", "pyproject.toml", "Makefile"):
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), 1):
            assert not address.search(line), f"{name}:{number}: {line.strip()}"


# Spelled in pieces, so that this file does not hold them itself.
MACHINE = re.compile("|".join(["/" + "work/", "/" + "tmp/parley", "/" + r"root/", r"\.\./" + "shared", r"\b" + r"shared/[A-Z]+\.md", "/" + r"home/\w+"]))


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    found = [f"{name}: {match[0]}" for name, text in texts() if not name.startswith("tests/corpora/") for match in MACHINE.finditer(text)]
    assert not found, "\n".join(found)


def test_every_text_ends_its_last_line_and_no_line_with_a_blank() -> None:
    found = []
    for name, text in texts():
        if name.startswith(("tests/corpora/", "static/fonts/")) or "/vendor/" in name or not text:
            continue
        if not text.endswith("\n") and name.endswith((".py", ".html", ".md", ".toml", ".css", ".js", ".txt")):
            found.append(f"{name}: the last line has no end")
        if name.endswith(".py"):
            found += [f"{name}:{number}: blanks at the end" for number, line in enumerate(text.split("\n"), 1) if line != line.rstrip()]
        if "\r" in text:
            found.append(f"{name}: carriage returns")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_locked_to_one_version_with_hashes(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) > 20
    for line in lines:
        assert re.match(r"[a-z0-9][a-z0-9.-]*(\[[a-z,]+\])?==[^\s;]+( ;[^-]+)?\s", line), f"{name}: {line[:60]} is not locked to one version"
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), f"{name}: {line[:60]} has no hash"


def locked(name: str) -> dict[str, str]:
    """Version by canonical name."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]+\])?==([^\s;\\]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    return {canonicalize_name(package): version for package, version in found}


def declared() -> tuple[list[Requirement], list[Requirement]]:
    """The project's requirements, and those of its developers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [Requirement(line) for line in project["project"]["dependencies"]], [Requirement(line) for line in project["dependency-groups"]["dev"]]


def test_the_lock_holds_what_the_project_declares() -> None:
    run, dev = declared()
    production, development = locked("requirements.txt"), locked("requirements-dev.txt")
    for requirement in run:
        name = canonicalize_name(requirement.name)
        assert name in production, f"{name} is declared and not locked: make lock"
        assert requirement.specifier.contains(production[name]), f"{name} {production[name]} is locked, {requirement.specifier} declared: make lock"
        assert development.get(name) == production[name], f"{name}: two locks, two versions: make lock"
    for requirement in dev:
        name = canonicalize_name(requirement.name)
        assert name in development, f"{name} is declared and not locked: make lock"
        assert requirement.specifier.contains(development[name])
        assert name not in production, f"{name} is for developers, and in requirements.txt"


def imported(*places: str) -> set[str]:
    """Canonical names of the distributions whose modules are imported below these places."""
    owners = packages_distributions()
    tops: set[str] = set()
    for path in (path for place in places for path in ([ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py")))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                tops |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                tops.add(node.module.split(".")[0])
    strangers = {top for top in tops if not top.startswith("_")} - set(sys.stdlib_module_names) - {"blog", "tests", "app", "bench"}
    return {canonicalize_name(owner) for top in strangers for owner in owners.get(top, [top])}


def test_the_board_imports_only_what_it_declares_and_declares_only_what_it_uses() -> None:
    run = {canonicalize_name(requirement.name) for requirement in declared()[0]}
    used = imported("blog", "migrations", "app.py")
    # markupsafe and click come with Flask, jinja2 too: theirs is the interface that Flask documents.
    assert used - run <= {"markupsafe", "jinja2", "click", "itsdangerous"}, "Imported and not declared in pyproject.toml."
    unused = run - used - set(CALLED_OTHERWISE)
    assert not unused, f"Declared and never imported; a dependency enters with the feature that uses it: {sorted(unused)}"


def test_tests_import_only_what_is_declared() -> None:
    run, dev = ({canonicalize_name(requirement.name) for requirement in part} for part in declared())
    used = imported("tests", *(["bench"] if (ROOT / "bench").is_dir() else []))
    assert used - run - dev <= {"markupsafe", "jinja2", "click", "packaging", "itsdangerous"}, "Imported by tests and not declared in the group dev."
    assert dev - used - TOOLS <= set(), "Declared for developers and used by no test."


def test_python_is_the_version_that_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["requires-python"] == ">=3.11"
    assert project["tool"]["ruff"]["target-version"] == "py311"


def test_no_test_is_skipped_without_a_reason_that_is_shouted() -> None:
    """A skipped test guards nothing; where a machine lacks something, the reason begins in capitals and is seen at the end of the run."""
    found = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            spelled = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if spelled in {"pytest.skip", "pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail", "pytest.xfail", "pytest.importorskip"}:
                assert isinstance(node, ast.Call)
                reasons = [ast.unparse(part) for part in (*node.args, *(keyword.value for keyword in node.keywords))]
                if not any(re.match(r"f?[\"']NO [A-Z]", reason) for reason in reasons):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno} {spelled}")
    assert not found, found
