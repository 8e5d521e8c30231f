"""The house is kept: short functions, short files, and nothing public without a word about it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

SRC = Path(__file__).parents[1] / "src" / "bonded"
FILES = sorted(p for p in SRC.rglob("*.py") if "versions" not in p.parts)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> Iterator[tuple[str, Function]]:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, Function):
                yield f"{path.relative_to(SRC)}:{node.lineno} {node.name}", node


def length(node: Function) -> int:
    """Lines of the body, its docstring left out."""
    body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def test_functions_are_short() -> None:
    sizes = {name: length(node) for name, node in functions()}
    assert len(sizes) > 300
    assert not {n: s for n, s in sizes.items() if s > 60}
    ordered = sorted(sizes.values())
    assert median(ordered) <= 6
    assert ordered[len(ordered) * 9 // 10] <= 22


def test_files_are_short() -> None:
    sizes = {str(p.relative_to(SRC)): len(p.read_text().splitlines()) for p in FILES}
    assert not {n: s for n, s in sizes.items() if s > 400}
    assert median(sizes.values()) <= 150


def test_everything_public_is_described() -> None:
    """ruff sees to methods; modules, classes and functions are held here whatever its settings."""
    bare = []
    for path in FILES:
        tree = ast.parse(path.read_text())
        public = [n for n in tree.body if isinstance(n, ast.ClassDef | Function)]
        named: list[tuple[str, ast.Module | ast.ClassDef | Function]] = [
            ("module", tree),
            *((n.name, n) for n in public if not n.name.startswith("_")),
        ]
        bare += [f"{path.relative_to(SRC)} {name}" for name, n in named if not ast.get_docstring(n)]
    assert not bare


def test_no_bare_excepts_nor_prints() -> None:
    for name, node in functions():
        for inner in ast.walk(node):
            if isinstance(inner, ast.ExceptHandler):
                assert inner.type is not None, f"{name} swallows everything"


def test_migrations_are_numbered_in_a_row() -> None:
    found = sorted((SRC / "catalog/migrations/versions").glob("[0-9]*.py"))
    numbers = [int(p.name[:4]) for p in found]
    assert numbers[0] == 1
    assert all(b == a + 1 for a, b in pairwise(numbers))
