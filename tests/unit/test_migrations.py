"""The catalog that migrations make is the one the code speaks of."""

from __future__ import annotations

import sqlite3
from importlib.resources import files
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from bonded.catalog import schema
from bonded.catalog.engine import connect
from bonded.catalog.folder import HEAD, prepare
from bonded.model.problems import Problem


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(files("bonded.catalog") / "migrations"))
    return ScriptDirectory.from_config(config)


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.db"
    prepare(path)
    return path


def revision(path: Path) -> str:
    with sqlite3.connect(path) as connection:
        (found,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    connection.close()
    return str(found)


def test_head_is_alembic_s() -> None:
    assert scripts().get_current_head() == HEAD
    assert len(scripts().get_heads()) == 1


def test_a_fresh_catalog_is_what_the_schema_says(fresh: Path) -> None:
    engine = connect(fresh, begin="BEGIN")
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        tables = set(inspect(connection).get_table_names())
    engine.dispose()
    assert tables - {"alembic_version", "sqlite_sequence"} == set(schema.metadata.tables)


def test_constraints_and_defaults_are_there_too(fresh: Path, tmp_path: Path) -> None:
    """What autogenerate does not compare: the tables' own SQL, made both ways."""
    made = tmp_path / "made.db"
    engine = connect(made, begin="BEGIN IMMEDIATE")
    with engine.begin() as connection:
        schema.metadata.create_all(connection)
    engine.dispose()
    assert described(fresh) == described(made)


def described(path: Path) -> dict[str, object]:
    connection = sqlite3.connect(path)
    tables = [
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if name not in ("alembic_version", "sqlite_sequence")
    ]
    out: dict[str, object] = {}
    for name in tables:
        pragmas = ("table_info", "foreign_key_list", "index_list")
        found = {p: connection.execute(f"PRAGMA {p}({name})").fetchall() for p in pragmas}
        # The order in which indexes and keys were made does not matter, only what they are.
        out[name] = {
            p: sorted(repr(row[1:] if p == "table_info" else row[2:]) for row in rows)
            for p, rows in found.items()
        }
    out["autoincrement"] = sorted(
        name
        for name, sql in connection.execute("SELECT name, sql FROM sqlite_master")
        if sql and "AUTOINCREMENT" in sql.upper()
    )
    connection.close()
    return out


def test_prepare_again_changes_nothing(fresh: Path) -> None:
    assert revision(fresh) == HEAD
    before = fresh.read_bytes()
    prepare(fresh)
    assert fresh.read_bytes() == before


def test_a_newer_catalog_is_refused_and_left_alone(fresh: Path) -> None:
    with sqlite3.connect(fresh) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(Problem) as refused:
        prepare(fresh)
    assert refused.value.code == "newer-data-folder"
    assert "9999" in refused.value.message
    assert HEAD in refused.value.message
    assert "Nothing was changed" in (refused.value.hint or "")
    assert revision(fresh) == "9999"


def test_a_file_that_is_no_catalog_is_told(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    path.write_bytes(b"this is not a database, it is a text file of some length" * 100)
    before = path.read_bytes()
    with pytest.raises(Problem) as refused:
        prepare(path)
    assert refused.value.code == "catalog-damaged"
    assert path.read_bytes() == before


def test_an_interrupted_first_start_leaves_nothing_half_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "catalog.db"
    from alembic import command

    real = command.upgrade

    def cut(*arguments: object) -> None:
        real(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "upgrade", cut)
    with pytest.raises(KeyboardInterrupt):
        prepare(path)
    monkeypatch.setattr(command, "upgrade", real)
    prepare(path)
    assert revision(path) == HEAD
