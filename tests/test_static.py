"""What pages load: sizes, origins, hashes and contrast, read from the files alone (no application, no database)."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parent.parent / "static"
SHEET = (STATIC / "css" / "parley.css").read_text(encoding="utf-8")
SCRIPT = (STATIC / "js" / "parley.js").read_text(encoding="utf-8")
KB = 1000

TOKENS: dict[str, tuple[str, str]] = {
    name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", SHEET)
}


def packed(path: Path) -> int:
    """Bytes of the file as a server sends it with gzip at its best."""
    return len(gzip.compress(path.read_bytes(), 9))


@pytest.mark.parametrize(
    ("name", "limit"),
    [("css/parley.css", 9 * KB), ("js/parley.js", 4.1 * KB), ("js/thread.js", 2.8 * KB), ("js/queue.js", 1.3 * KB), ("vendor/htmx.min.js", 14 * KB)],
)
def test_a_file_stays_under_its_bar(name: str, limit: int) -> None:
    assert packed(STATIC / name) <= limit


def test_there_is_one_sheet_and_one_own_script() -> None:
    assert [path.name for path in STATIC.rglob("*.css")] == ["parley.css"]
    assert {path.name for path in STATIC.rglob("*.js")} == {"parley.js", "thread.js", "queue.js", "htmx.min.js", "htmx-2.0.11.min.js"}


def test_fonts_are_two_woff2_files_of_70_kb_together() -> None:
    fonts = sorted(path for path in STATIC.rglob("*") if path.suffix in {".woff", ".woff2", ".ttf", ".otf"})
    assert [path.name for path in fonts] == ["literata-italic.woff2", "literata.woff2"]
    assert all(path.read_bytes().startswith(b"wOF2") for path in fonts)
    assert sum(path.stat().st_size for path in fonts) <= 70 * KB
    assert "SIL OPEN FONT LICENSE" in (STATIC / "fonts" / "OFL.txt").read_text(encoding="utf-8")


def test_the_sheet_loads_only_what_lies_beside_it() -> None:
    addresses = re.findall(r"url\(\s*[\"']?([^\"')]+)", SHEET)
    assert len(addresses) == 2
    for address in addresses:
        assert address.startswith("../")
        assert (STATIC / "css" / address).is_file()
    assert "@import" not in SHEET
    assert "//" not in SHEET


@pytest.mark.parametrize("folder", ["vendor", "fonts"])
def test_files_from_elsewhere_are_the_ones_their_readme_names(folder: str) -> None:
    readme = (STATIC / folder / "README.md").read_text(encoding="utf-8")
    named = {line.split("`")[1]: match[0] for line in readme.splitlines() if line.startswith("| `") and (match := re.findall(r"`([0-9a-f]{64})`", line))}
    there = {path.name for path in (STATIC / folder).iterdir() if path.suffix in {".js", ".woff2"}}
    assert set(named) == there
    for name, digest in named.items():
        assert hashlib.sha256((STATIC / folder / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("word", ["eval", "innerHTML", "outerHTML", "insertAdjacentHTML", "Function(", "document.write", ".disabled"])
def test_the_own_script_never_turns_text_into_code_or_markup(word: str) -> None:
    assert word not in SCRIPT


@pytest.mark.parametrize("name", ["htmx.min.js", "htmx-2.0.11.min.js"])
def test_the_own_script_hears_events_that_this_htmx_sends(name: str) -> None:
    """Each pair of names in parley.js has one that this version knows: else a half of the script falls silent."""
    library = (STATIC / "vendor" / name).read_text(encoding="utf-8")
    heard = re.findall(r"on\(\"(htmx:[^\"]+)\"", SCRIPT)
    pairs = [names.split() for names in heard if names.count("htmx:after") or names.count("htmx:before")]
    assert len(pairs) == 4
    for pair in pairs:
        assert any(f'"{event}"' in library for event in pair), pair


# What each htmx must be told: nothing kept of pages, no code out of markup, no other host, no style of its own.
TOLD = {
    "htmx.min.js": {"mode": "same-origin", "history": False, "prefix": "", "includeIndicatorCSS": False, "allowEmptySwapAfterOOB": True,
                    "defaultSettleDelay": 1},
    "htmx-2.0.11.min.js": {"allowEval": False, "allowScriptTags": False, "selfRequestsOnly": True, "historyEnabled": False, "historyCacheSize": 0,
                           "refreshOnHistoryMiss": True, "includeIndicatorStyles": False, "allowNestedOobSwaps": False, "disableInheritance": True,
                           "defaultSettleDelay": 1, "timeout": 60_000},
}


def told() -> dict[str, object]:
    """The settings that every page gives its htmx."""
    base = (STATIC.parent / "templates" / "base.html").read_text(encoding="utf-8")
    found = re.search(r"<meta name=\"htmx-config\" content='([^']+)'>", base)
    assert found
    return dict(json.loads(found[1]))


@pytest.mark.parametrize("name", list(TOLD))
def test_each_htmx_is_told_what_it_must_not_do(name: str) -> None:
    library = (STATIC / "vendor" / name).read_text(encoding="utf-8")
    settings = told()
    for setting, value in TOLD[name].items():
        assert settings[setting] == value, setting
        assert re.search(rf"\b{setting}:", library), f"{name} knows no setting {setting}"


def test_every_htmx_setting_is_one_that_a_version_knows() -> None:
    libraries = [(STATIC / "vendor" / name).read_text(encoding="utf-8") for name in TOLD]
    for setting in told():
        assert any(re.search(rf"\b{setting}:", library) for library in libraries), setting
    assert "inlineScriptNonce" not in told()


def test_icon_is_a_drawing_without_script() -> None:
    icon = (STATIC / "img" / "icon.svg").read_text(encoding="utf-8")
    assert icon.startswith("<svg")
    assert "<script" not in icon
    assert "href" not in icon


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb as WCAG 2 defines it, 0 to 1."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_counted_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


TEXT = [(text, ground) for text in ("ink", "ink-2", "ink-3", "accent", "accent-2", "stop") for ground in ("paper", "sheet", "sunk")] + [
    ("ink", "wash"),
    ("ink-2", "wash"),
    ("ink-3", "wash"),
    ("accent", "wash"),
    ("ink", "stop-wash"),
    ("stop", "stop-wash"),
    ("on-accent", "accent"),
    ("on-accent", "accent-2"),
]
EDGES = [("edge", ground) for ground in ("paper", "sheet", "sunk")]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "ground"), TEXT)
def test_text_can_be_read(front: str, ground: str, scheme: int) -> None:
    assert contrast(TOKENS[front][scheme], TOKENS[ground][scheme]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "ground"), EDGES)
def test_edges_of_controls_can_be_seen(front: str, ground: str, scheme: int) -> None:
    assert contrast(TOKENS[front][scheme], TOKENS[ground][scheme]) >= 3


def test_colours_stand_in_the_tokens_alone() -> None:
    rules = re.sub(r"/\*.*?\*/", "", SHEET.split("--radius", 1)[1], flags=re.S)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{};]*\{)", rules) == []
