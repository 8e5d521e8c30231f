"""Make and upgrade the catalog of a data folder."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DatabaseError

from bonded.catalog.engine import connect, refused
from bonded.model.problems import Problem

#: The newest revision this version of the code knows; `tests/unit` holds it against Alembic's.
HEAD = "0001"


def prepare(path: Path) -> None:
    """Make the catalog at `path` if there is none, and bring an older one up to date.

    Raises `Problem` for a catalog of a newer version, or a file that is no catalog.
    """
    engine = connect(path, begin="BEGIN IMMEDIATE")
    try:
        _prepare(engine, path)
    except DatabaseError as error:
        problem = refused(error, path)
        if problem is None:
            raise
        raise problem from None
    finally:
        engine.dispose()


def _prepare(engine: Engine, path: Path) -> None:
    with engine.begin() as connection:
        have = _revision(connection)
        if have == HEAD:
            return
        if have is not None and have > HEAD:
            raise Problem(
                f"The data folder {path.parent} was made by a newer version of Bonded"
                f" (its catalog is at {have}, this version knows {HEAD}).",
                code="newer-data-folder",
                hint="Upgrade bonded, or use another data folder. Nothing was changed.",
            )
        _upgrade(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(found) if found is not None else None


def _upgrade(connection: Connection) -> None:
    # Imported here: Alembic is needed once in the life of a data folder's version.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("bonded.catalog") / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
