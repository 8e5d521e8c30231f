"""SQLite, opened as this product needs it, and transactions as plain functions."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import QueuePool

from bonded.catalog.transaction import SqlTransaction
from bonded.model.disk import refusal
from bonded.model.problems import NoRoom, Problem, Unavailable
from bonded.ports import Clock, Transaction

T = TypeVar("T")
BUSY_MS = 15_000
READERS = 4


def connect(path: Path, *, begin: str) -> Engine:
    """An engine whose transactions begin with `begin` (`BEGIN` or `BEGIN IMMEDIATE`)."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=READERS,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        # The driver would begin transactions by itself, deferred ones, which fail under writers.
        connection.isolation_level = None
        for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


class SqliteCatalog:
    """The catalog in one SQLite file: many readers, one writer a process, in threads."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path, self.clock = path, clock
        self._reading = connect(path, begin="BEGIN")
        self._writing = connect(path, begin="BEGIN IMMEDIATE")
        self._readers = ThreadPoolExecutor(READERS, "catalog-read")
        # One thread, so that this process's writers queue here and not in SQLite's busy loop.
        self._writer = ThreadPoolExecutor(1, "catalog-write")

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on one unchanging view of the catalog."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._run, self._reading, work)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`; what it did is durable when this returns, and undone if it raises."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writer, self._run, self._writing, work)

    def _run(self, engine: Engine, work: Callable[[Transaction], T]) -> T:
        try:
            with engine.begin() as connection:
                return work(SqlTransaction(connection, self.clock))
        except DatabaseError as error:
            problem = refused(error, self.path)
            if problem is None:
                raise
            raise problem from error

    def close(self) -> None:
        """Finish what runs and close the file."""
        for pool in (self._readers, self._writer):
            pool.shutdown(wait=True)
        for engine in (self._reading, self._writing):
            engine.dispose()


def refused(error: DatabaseError, path: Path) -> Problem | None:
    """What to tell of a refusal of SQLite's; None if the statement was at fault."""
    text = str(error.orig)
    if "not a database" in text or "malformed" in text:
        return Problem(
            f"{path.name} in the data folder is damaged or is not Bonded's ({text}).",
            code="catalog-damaged",
            hint="Restore the data folder from its backup.",
        )
    return _told(text, path) if isinstance(error, OperationalError) else None


def _told(text: str, path: Path) -> Problem:
    if "full" in text:
        full = refusal(OSError(28, text), path)
        assert full is not None
        return full
    if "readonly" in text or "unable to open" in text:
        return NoRoom(
            f"The catalog cannot be written ({text}).",
            code="folder-not-writable",
            hint="Give the user that runs bonded write access to the data folder.",
        )
    if "locked" in text:
        return Unavailable(
            "The catalog was busy for too long; nothing was changed.",
            code="catalog-busy",
            hint="Try again.",
            retry_after=2,
        )
    return Problem(f"The catalog failed: {text}.", code="catalog-failed")
