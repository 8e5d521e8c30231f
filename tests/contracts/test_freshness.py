"""What every Freshness tells: that something was committed, by whomever, and what still holds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bonded.catalog.engine import SqliteCatalog
from bonded.catalog.hot import SqliteFreshness
from bonded.model.files import Basis
from bonded.model.names import FeedName
from bonded.ports import Freshness, StoredPage, Transaction

OTHER_PROCESS = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from bonded.catalog.engine import SqliteCatalog
catalog = SqliteCatalog(Path(sys.argv[1]), lambda: datetime.now(UTC))
asyncio.run(catalog.write(lambda tx: tx.revisions.bump("k")))
catalog.close()
"""


@pytest.fixture
def freshness(catalog: SqliteCatalog) -> Iterator[Freshness]:
    """The questions asked of the catalog of this test."""
    opened = SqliteFreshness(catalog.path)
    yield opened
    opened.close()


async def test_the_first_question_is_always_answered_yes(freshness: Freshness) -> None:
    assert freshness.moved()
    assert not freshness.moved()


async def test_commits_of_this_process_are_seen(
    catalog: SqliteCatalog, freshness: Freshness
) -> None:
    freshness.moved()
    for _ in range(3):
        await catalog.write(lambda tx: tx.revisions.bump("k"))
        assert freshness.moved()
        assert not freshness.moved()


async def test_commits_of_another_process_are_seen(
    database: Path, catalog: SqliteCatalog, freshness: Freshness
) -> None:
    freshness.moved()
    basis = Basis((("k", 0),))
    assert freshness.holds(basis)
    subprocess.run([sys.executable, "-c", OTHER_PROCESS, str(database)], check=True)
    assert freshness.moved()
    assert not freshness.holds(basis)
    assert freshness.holds(Basis((("k", 1),)))
    assert not freshness.moved()


async def test_reading_and_failing_move_nothing(
    catalog: SqliteCatalog, freshness: Freshness
) -> None:
    freshness.moved()
    await catalog.read(lambda tx: tx.feeds.all())

    def fail(tx: Transaction) -> None:
        tx.revisions.bump("k")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await catalog.write(fail)
    assert not freshness.moved()
    assert freshness.holds(Basis((("k", 0),)))


async def test_each_asker_has_its_own_memory(catalog: SqliteCatalog, freshness: Freshness) -> None:
    second = SqliteFreshness(catalog.path)
    assert freshness.moved()
    assert second.moved()
    await catalog.write(lambda tx: tx.revisions.bump("k"))
    assert freshness.moved()
    assert second.moved()
    second.close()


async def test_what_holds(catalog: SqliteCatalog, freshness: Freshness) -> None:
    await catalog.write(lambda tx: tx.revisions.bump("a", "b"))
    past = datetime(2000, 1, 1, tzinfo=UTC)
    assert freshness.holds(Basis())
    assert freshness.holds(Basis((("a", 1), ("b", 1), ("never", 0))))
    assert freshness.holds(Basis((("a", 1),), past)), "time is not looked at"
    assert not freshness.holds(Basis((("a", 1), ("b", 0))))
    assert not freshness.holds(Basis((("a", 2),)))
    assert not freshness.holds(Basis((("never", 1),)))


async def test_pages(catalog: SqliteCatalog, freshness: Freshness) -> None:
    until = datetime(2026, 5, 4, 3, 2, 1, 9, UTC)
    page = StoredPage(
        basis=Basis((("a", 1), ("b", 2)), until), etag="e", json_gz=b"\x1f\x8b\0", html_gz=b"",
        entries=b"\x90",
    )  # fmt: skip
    feed = await catalog.write(lambda tx: tx.feeds.create(FeedName("team"), False, []))
    await catalog.write(lambda tx: tx.pages.put(feed.id, "acme", page))
    assert freshness.page(feed.id, "acme") == page
    assert freshness.page(feed.id, "other") is None
    assert freshness.page(feed.id + 1, "acme") is None
