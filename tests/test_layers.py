"""The house stands: a room knows only the rooms below it (ARCHITECTURE.md)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.serving import clean_environment

SRC = Path(__file__).parents[1] / "src"
LEVELS = {
    "": 0,  # bonded itself: its version
    "model": 0,
    "ports": 1,
    "simple": 1,
    "render": 1,
    "views": 2,
    "planning": 2,
    "sources": 3,
    "solvers": 3,
    "sinks": 3,
    "blobs": 3,
    "catalog": 3,
    "jobs": 3,
    "advisories": 3,
    "platforms": 3,
    "operations": 4,
    "testing": 4,
    "web": 5,
    "settings": 6,
    "app": 6,
    "cli": 7,
    "azureml": 7,
    "__main__": 7,
}
ADAPTERS = 3
#: These see ports, never what stands behind them.
BLIND = {2, 4, 5}
#: One level, one direction: what is composed from settings, and `python -m bonded`, the command.
BESIDE = {("app", "settings"), ("__main__", "cli")}
Import = tuple[Path, str, str]


def room(module: str) -> str:
    """The room of `bonded.room.file`, or of `bonded.file`."""
    return [*module.split("."), ""][1]


def module_of(path: Path) -> str:
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module imported anywhere: at the top, in functions, under TYPE_CHECKING."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the room"
            module = node.module or ""
            # `from bonded import app` names a room; `from bonded import __version__` does not.
            rooms = [a.name for a in node.names if module == "bonded" and a.name in LEVELS]
            yield from ([f"bonded.{name}" for name in rooms] or [module])


def ours() -> list[Import]:
    """(file, room that imports, room imported), between different rooms."""
    found: list[Import] = []
    for path in sorted(SRC.rglob("*.py")):
        here = room(module_of(path))
        names = {n for n in imported(ast.parse(path.read_text())) if n.split(".")[0] == "bonded"}
        rooms = {room(n) for n in names} - {here}
        found += [(path.relative_to(SRC), here, there) for there in sorted(rooms)]
    return found


IMPORTS = ours()


def test_every_room_has_a_level() -> None:
    rooms = {room(module_of(path)) for path in SRC.rglob("*.py")}
    assert rooms <= set(LEVELS), f"say where these stand: {rooms - set(LEVELS)}"
    assert len(IMPORTS) > 100


def test_imports_go_down() -> None:
    up = [i for i in IMPORTS if LEVELS[i[1]] <= LEVELS[i[2]] and i[1:] not in BESIDE]
    assert not up, f"imports of a room beside or above: {up}"


def test_inner_rooms_never_see_adapters() -> None:
    seen = [i for i in IMPORTS if LEVELS[i[1]] in BLIND and LEVELS[i[2]] == ADAPTERS]
    assert not seen, f"these see adapters and not ports: {seen}"


def test_only_the_composition_root_names_adapters() -> None:
    named = {i[0].parent.as_posix() for i in IMPORTS if LEVELS[i[2]] == ADAPTERS}
    assert named == {"bonded/app"}


def test_ports_are_protocols_and_values() -> None:
    """Nothing in ports.py does anything, so nothing there can hide an adapter."""
    tree = ast.parse((SRC / "bonded/ports.py").read_text())
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert not functions
    methods = [m for c in tree.body if isinstance(c, ast.ClassDef) for m in c.body]
    sizes = {m.name: len(m.body) for m in methods if isinstance(m, ast.FunctionDef)}
    assert sizes
    assert set(sizes.values()) == {1}


def test_ports_are_small() -> None:
    tree = ast.parse((SRC / "bonded/ports.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name != "Transaction":
            methods = [m for m in node.body if isinstance(m, ast.FunctionDef)]
            assert len(methods) <= 7, f"{node.name} asks for too much"


@pytest.mark.parametrize(
    ("pure", "foreign"),
    [
        ("model", {"sqlalchemy", "aiohttp", "msgspec", "selectolax", "pydantic"}),
        ("views", {"sqlalchemy", "aiohttp"}),
        ("operations", {"sqlalchemy", "aiohttp", "sqlite3"}),
        ("web", {"sqlalchemy", "aiohttp", "sqlite3"}),
        ("simple", {"sqlalchemy", "aiohttp", "asyncio", "os", "pathlib"}),
    ],
)
def test_libraries_stay_in_their_rooms(pure: str, foreign: set[str]) -> None:
    for path in (SRC / "bonded" / pure).rglob("*.py"):
        tops = {name.split(".")[0] for name in imported(ast.parse(path.read_text()))}
        assert not tops & foreign, f"{path.name} imports {tops & foreign}"


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "sys.argv = ['bonded', '--help']\n"
        "from bonded.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "print('LOADED', *sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=clean_environment(),
    )
    out, _, loaded = done.stdout.partition("LOADED")
    assert "serve" in out
    tops = {name.split(".")[0] for name in loaded.split()}
    heavy = {"sqlalchemy", "alembic", "aiohttp", "granian", "rich", "pydantic", "selectolax"}
    assert not tops & heavy
    assert "typer" in tops


def test_no_registry_is_named() -> None:
    """The public index comes from the machine's configuration or a library, never from here."""
    hosts = [
        ".".join(parts)
        for parts in (
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("pypi", "python", "org"),
            ("npmjs", "org"),
            ("npmjs", "com"),
            ("debian", "org"),
            ("anaconda", "org"),
        )
    ]
    for path in SRC.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            text = path.read_text("utf-8", "replace").lower()
            assert not [h for h in hosts if h in text], f"{path} names a registry's host"
