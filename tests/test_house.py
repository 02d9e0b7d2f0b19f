"""The order of the house, read from the source: imports go down, features look left, and each privilege has one owner.

Nothing here is a list of modules: a module's name tells its storey, its folder its feature. `docs/architecture.md` draws the picture.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from blog.config import ROOT
from blog.db import Base
from blog.tables import metadata

BLOG = ROOT / "blog"
TEMPLATES = ROOT / "templates"

GROUND, ROWS, RULES, DOMAIN, DOORS, ROOF = range(6)
STOREYS = ("ground", "rows (models.py)", "rules (viewer, audiences, permissions)", "domain", "doors (routes, cli, jobs)", "factory")

RULE_MODULES = frozenset({"viewer", "audiences", "permissions"})
DOOR_MODULES = frozenset({"routes", "cli", "jobs"})

# Domain modules look only left.
FEATURES = (
    "board", "jobs", "mail", "accounts", "boundaries", "notices", "acts", "filters", "topics", "drafts", "posts", "comments", "conversations",
    "moderation", "search", "members", "feeds", "api", "transfer", "demo", "admin", "operations",
)

# A thing with such a name is not understood yet.
NAMELESS = frozenset({"utils", "util", "helpers", "helper", "common", "base", "manager", "managers", "service", "services", "misc", "lib", "core"})

# Ground that has to know rows: place -> why.
TABLES = {"blog.tables": "gathers every feature's tables into one metadata"}

# Who else may, besides the owner, and why. The key is a file below blog/, or file:function.
MAY_READ_ENVIRONMENT = {
    "config.py": "reads every setting once",
    "operations/serving.py": "hands the environment on, unread, to the process that it becomes",
}
MAY_ASK_THE_TIME = {
    "clock.py": "the only source of time",
    "limiting.py": "windows of the counters are in seconds since 1970 and shared with other processes",
    "operations/bridge.py": "stamps lines of the access log: no row and no page hangs on them",
}
MAY_COMMIT = {
    "db.py:_transaction": "opens and closes the transaction of a door, or of what reading notes",
    "operations/upgrading.py:check_identity": "a connection of its own, before there are tables",
    "operations/upgrading.py:one_at_a_time": "a connection of its own, which holds the lock",
}
MAY_MAKE_MARKUP = {
    "dates.py": "the <time> element, by format(), which escapes",
    "comments/drawing.py": "our own templates' output, put together from pieces that were escaped when drawn",
}
# What a template may print as it stands: HTML that was rendered and sanitised when it was written.
STORED_HTML = {
    "html": "attribute of a row: stored, sanitised, versioned",
    "preview": "just rendered by the same renderer, for its writer alone",
    "words": "the stored HTML that an act is about",
}


@dataclass(frozen=True)
class Module:
    """One file of blog/ with its parsed source."""

    path: Path
    tree: ast.Module

    @property
    def file(self) -> str:
        """The path below blog/: "posts/models.py"."""
        return self.path.relative_to(BLOG).as_posix()

    @property
    def name(self) -> str:
        """The dotted name: "blog.posts.models"."""
        parts = ["blog", *self.path.relative_to(BLOG).with_suffix("").parts]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def storey(name: str) -> int:
    """The storey of a dotted module name."""
    parts = name.split(".")[1:]
    if not parts:
        return GROUND
    if parts[0] == "factory":
        return ROOF
    if parts[0] in RULE_MODULES:
        return RULES
    if len(parts) == 1 or parts[0] == "text":
        return GROUND
    if parts[1] == "models":
        return ROWS
    return DOORS if parts[1] in DOOR_MODULES else DOMAIN


def feature(name: str) -> str:
    """The feature that a module belongs to, "" for ground, rules and factory."""
    parts = name.split(".")[1:]
    return parts[0] if len(parts) > 1 and parts[0] not in RULE_MODULES | {"text"} else ""


@cache
def modules() -> tuple[Module, ...]:
    return tuple(Module(path, ast.parse(path.read_text(encoding="utf-8"), str(path))) for path in sorted(BLOG.rglob("*.py")))


@cache
def names() -> frozenset[str]:
    return frozenset(module.name for module in modules())


def for_typing(module: Module) -> set[ast.AST]:
    """Nodes that stand under `if TYPE_CHECKING:`."""
    return {
        inner
        for node in ast.walk(module.tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }


def imports(module: Module) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each module of ours that this one imports (not for typing alone)."""
    aside = for_typing(module)
    for node in ast.walk(module.tree):
        if node in aside:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] == "blog")
        elif isinstance(node, ast.ImportFrom):
            package = node.module or ""
            if node.level:
                above = module.name.split(".") if module.path.name == "__init__.py" else module.name.split(".")[:-1]
                package = ".".join([*above[: len(above) - node.level + 1], *filter(None, [node.module])])
            if package.split(".")[0] != "blog":
                continue
            for alias in node.names:
                whole = f"{package}.{alias.name}"
                yield node.lineno, whole if whole in names() else package


def functions(module: Module) -> Iterator[tuple[str, ast.AST]]:
    """Each node with the name of the outermost function or class it stands in ("" at the top)."""
    for statement in module.tree.body:
        place = statement.name if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else ""
        for node in ast.walk(statement):
            yield place, node


def report(found: list[str], what_to_do: str) -> None:
    """Fail with every finding and with what to do about it."""
    assert not found, "\n".join([f"{len(found)} found. {what_to_do}", *sorted(set(found))])


def test_the_rules_below_see_the_house() -> None:
    """Against the silence of a test that looks into an empty folder."""
    seen = {storey(module.name) for module in modules()}
    assert seen == {GROUND, ROWS, RULES, DOMAIN, DOORS, ROOF}
    assert any(to == "blog.db" for module in modules() for _, to in imports(module))
    assert storey("blog.jobs.queue") == DOMAIN
    assert storey("blog.mail.jobs") == DOORS
    assert storey("blog.text.markdown") == GROUND
    assert storey("blog.posts.routes.writing") == DOORS


def test_imports_go_down_or_stay_on_their_storey() -> None:
    found = []
    for module in modules():
        if module.name in TABLES:
            continue
        own = storey(module.name)
        for line, to in imports(module):
            if storey(to) > own:
                found.append(f"blog/{module.file}:{line} ({STOREYS[own]}) imports {to} ({STOREYS[storey(to)]})")
    report(found, "Move what is needed down, or the code that needs it up; pass a value instead of importing its maker.")


def test_gathering_tables_is_the_only_ground_that_knows_rows() -> None:
    for name in TABLES:
        module = next(module for module in modules() if module.name == name)
        assert all(storey(to) <= ROWS for _, to in imports(module))
    found = [f"blog/{module.file}:{line}" for module in modules() for line, to in imports(module) if to in TABLES and storey(module.name) < DOMAIN]
    report(found, "Only who needs all tables at once (factory, migrations, whole-board domain modules) imports blog.tables.")


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {module.name: {to for _, to in imports(module)} - {module.name} for module in modules()}
    done: set[str] = set()

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"A circle: {' -> '.join([*above[above.index(name):], name])}. Move what both need into a module below."
        if name in done:
            return
        for to in sorted(graph.get(name, ())):
            walk(to, (*above, name))
        done.add(name)

    for name in sorted(graph):
        walk(name, ())


def test_no_import_hides_inside_a_function() -> None:
    found = [
        f"blog/{module.file}:{node.lineno} in {function.name}()"
        for module in modules()
        for function in ast.walk(module.tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    report(found, "Put the import at the top; if that makes a circle, one of the two modules stands on the wrong storey.")


def test_every_folder_is_a_feature_with_a_place_in_the_order() -> None:
    folders = {path.parent.name for path in BLOG.glob("*/__init__.py")} - {"text"} - RULE_MODULES
    unknown = sorted(folders - set(FEATURES))
    assert not unknown, f"{unknown} have no place in FEATURES: say in tests/test_house.py and docs/architecture.md what stands left of them."


def test_domain_modules_look_only_left() -> None:
    found = []
    for module in modules():
        if storey(module.name) != DOMAIN:
            continue
        own = FEATURES.index(feature(module.name))
        for line, to in imports(module):
            if storey(to) == DOMAIN and FEATURES.index(feature(to)) > own:
                found.append(f"blog/{module.file}:{line} imports {to}, which stands right of {FEATURES[own]}")
    report(found, "Pass the fact as an argument, or let the feature on the right call this one.")


def test_rows_know_each_other_by_name_only() -> None:
    found = [
        f"blog/{module.file}:{line} imports {to}"
        for module in modules()
        if storey(module.name) == ROWS
        for line, to in imports(module)
        if storey(to) == ROWS and feature(to) != feature(module.name)
    ]
    report(found, 'Use ForeignKey("table.id"), a relationship with a typed string, and an import under TYPE_CHECKING.')


def test_doors_never_open_into_another_features_doors() -> None:
    found = [
        f"blog/{module.file}:{line} imports {to}"
        for module in modules()
        if storey(module.name) == DOORS
        for line, to in imports(module)
        if storey(to) == DOORS and feature(to) != feature(module.name)
    ]
    report(found, "Move what both need into the domain module of the feature that owns it.")


def test_only_the_door_and_tests_import_the_factory() -> None:
    found = [f"blog/{module.file}:{line}" for module in modules() for line, to in imports(module) if to == "blog.factory"]
    report(found, "create_app() is called by app.py and by tests.")


def test_packages_begin_empty() -> None:
    full = [path.relative_to(ROOT).as_posix() for path in BLOG.rglob("__init__.py") if path.read_bytes()]
    report(full, "Every `import blog.x` runs these files: move the code into a module with a name.")


def test_every_module_has_a_name_that_says_something() -> None:
    found = [f"blog/{module.file}" for module in modules() if NAMELESS & set(module.path.relative_to(BLOG).with_suffix("").parts)]
    report(found, "Name it after what it does.")


def test_every_module_says_what_lives_in_it() -> None:
    found = [f"blog/{module.file}" for module in modules() if module.tree.body and not ast.get_docstring(module.tree)]
    report(found, "Begin the module with a docstring: what lives here, and what does not.")


def test_only_settings_come_from_the_environment() -> None:
    found = []
    for module in modules():
        if module.file in MAY_READ_ENVIRONMENT:
            continue
        for node in ast.walk(module.tree):
            spelled = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            taken = isinstance(node, ast.ImportFrom) and node.module == "os" and {"environ", "getenv", "environb"} & {alias.name for alias in node.names}
            if spelled in {"os.environ", "os.getenv", "os.environb", "os.putenv"} or taken:
                found.append(f"blog/{module.file}:{node.lineno}")
    report(found, "Make it a setting in blog/config.py and ask settings().")


ASKING = re.compile(
    r"^(datetime\.)*datetime\.(now|utcnow|today|fromtimestamp)$|^(datetime\.)?date\.today$|^time\.(time|time_ns|localtime|gmtime|ctime|strftime)$"
    r"|^(\w+\.)?func\.(now|current_timestamp|localtimestamp)$"
)


def test_only_the_clock_asks_the_time() -> None:
    found = []
    for module in modules():
        if module.file in MAY_ASK_THE_TIME:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and ASKING.match(ast.unparse(node)):
                found.append(f"blog/{module.file}:{node.lineno} {ast.unparse(node)}")
            if isinstance(node, ast.ImportFrom) and node.module == "time" and {"time", "time_ns"} & {alias.name for alias in node.names}:
                found.append(f"blog/{module.file}:{node.lineno} from time import ...")
    report(found, "Call blog.clock.now(): tests stop it. For durations there is time.monotonic().")


def docstrings(tree: ast.Module) -> set[ast.AST]:
    """The constants that are docstrings."""
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.body[0].value for node in ast.walk(tree) if isinstance(node, owners) and node.body and isinstance(node.body[0], ast.Expr)}


def test_only_web_speaks_htmx() -> None:
    found = []
    for module in modules():
        if module.file == "web.py":
            continue
        words = docstrings(module.tree)
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in words:  # noqa: SIM102
                if re.fullmatch(r"(HX[-_]|HTTP_HX_)[A-Za-z_-]+", node.value, re.IGNORECASE):
                    found.append(f"blog/{module.file}:{node.lineno} {node.value}")
    report(found, "Use is_fragment(), page_or_fragment(), fragment_or_redirect() or go() of blog/web.py; a new word of htmx's gets a function there.")


def test_markup_is_made_by_the_renderer_alone() -> None:
    found = [
        f"blog/{module.file}:{node.lineno}"
        for module in modules()
        if not module.file.startswith("text/") and module.file not in MAY_MAKE_MARKUP
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Markup"
    ]
    report(found, "HTML is made and sanitised in blog/text; everything else is escaped by the template.")


def test_templates_print_only_stored_html_unescaped() -> None:
    environment = Environment()
    found = []
    for path in sorted(TEMPLATES.rglob("*")):
        if not path.is_file():
            continue
        tree = environment.parse(path.read_text(encoding="utf-8"))
        for node in tree.find_all(nodes.Filter):
            if node.name != "safe":
                continue
            printed = node.node
            word = printed.attr if isinstance(printed, nodes.Getattr) else printed.name if isinstance(printed, nodes.Name) else ""
            if word not in STORED_HTML:
                found.append(f"templates/{path.relative_to(TEMPLATES)}:{node.lineno} prints {word or 'an expression'} unescaped")
        found += [f"templates/{path.relative_to(TEMPLATES)}:{node.lineno} switches escaping" for node in tree.find_all(nodes.ScopedEvalContextModifier)]
    report(found, "Take |safe away. Only HTML that blog/text made and a row keeps is printed as it stands (STORED_HTML).")


def test_queries_are_select_statements() -> None:
    found = []
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and node.attr == "query" and re.fullmatch(r"([A-Z]\w*|db\.session|session)", ast.unparse(node.value)):
                found.append(f"blog/{module.file}:{node.lineno} {ast.unparse(node)}")
    report(found, "Use select() and db.session.execute().")


def test_nobody_below_the_doors_commits() -> None:
    """A deed flushes; the door that opened the transaction closes it, so act, effect and notice are one."""
    found = []
    for module in modules():
        if storey(module.name) >= DOORS:
            continue
        for place, node in functions(module):
            commits = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
            if commits and f"{module.file}:{place}" not in MAY_COMMIT:
                found.append(f"blog/{module.file}:{node.lineno} in {place}()")
    report(found, "Flush, and let the door open `with writing():` around the deed.")


def test_doors_open_transactions_with_writing_and_hold_no_sql() -> None:
    found = []
    for module in modules():
        if storey(module.name) != DOORS:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sqlalchemy":
                taken = {alias.name for alias in node.names} & {"select", "insert", "update", "delete", "text", "func"}
                found += [f"blog/{module.file}:{node.lineno} imports {name}" for name in taken]
            if isinstance(node, ast.Call) and re.fullmatch(r"db\.session\.\w+|session\.(commit|add|execute|scalars?)", ast.unparse(node.func)):
                found.append(f"blog/{module.file}:{node.lineno} {ast.unparse(node.func)}()")
    report(found, "Statements live in readings and deeds; a door calls one inside `with writing():` (blog/db.py).")


def test_deeds_and_rules_never_see_the_request() -> None:
    found = []
    for module in modules():
        if storey(module.name) not in {ROWS, RULES, DOMAIN}:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.module == "flask" and "request" in {alias.name for alias in node.names}:
                found.append(f"blog/{module.file}:{node.lineno}")
    report(found, "Let the route read the request and pass what is needed.")


def test_relationships_are_loaded_on_purpose() -> None:
    assert metadata is Base.metadata
    found = [
        f"{mapper.class_.__name__}.{name}"
        for mapper in Base.registry.mappers
        for name, of in mapper.relationships.items()
        if of.lazy not in {"raise", "write_only"}
    ]
    report(found, 'Say lazy="raise"; the reading says what it loads.')


@pytest.mark.parametrize("table", [MAY_READ_ENVIRONMENT, MAY_ASK_THE_TIME, MAY_COMMIT, MAY_MAKE_MARKUP], ids=["environment", "time", "commit", "markup"])
def test_no_exception_outlives_its_cause(table: dict[str, str]) -> None:
    gone = []
    for place in table:
        file, _, function = place.partition(":")
        source = (BLOG / file).read_text(encoding="utf-8") if (BLOG / file).is_file() else ""
        if not source or (function and f"def {function}(" not in source):
            gone.append(place)
    report(gone, "Strike these exceptions from tests/test_house.py.")
