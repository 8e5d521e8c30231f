"""A disk without room for the catalog to grow: what is held is served all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.utils import NormalizedName
from sqlalchemy import Connection, event

from bonded.app.folder import Folder, folder
from bonded.app.upstreams import upstreams
from bonded.app.worker import rooms
from bonded.model.names import FeedName
from bonded.model.problems import NoRoom
from bonded.settings import Settings
from support.dists import wheel
from support.serving import Bonded
from support.upstream import Upstream

NAME = NormalizedName("acme-core")
#: So many that a page of them needs room the catalog has not.
WHEELS = [wheel("acme-core", f"1.{n}") for n in range(60)]


def fill(catalog: object) -> None:
    """From now on SQLite finds no room, as on a full disk: it says so with the same error."""
    engine = catalog._writing  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def _full(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")


def make(bonded: Bonded, tmp_path: Path) -> None:
    bonded.run("feed", "create", "team")
    bonded.run("upload", "--feed", "team", *[w.write(tmp_path / "dist") for w in WHEELS])


async def test_what_is_hosted_is_shown(bonded: Bonded, tmp_path: Path) -> None:
    make(bonded, tmp_path)
    async with rooms(Settings(data=bonded.data, access_log=False)) as opened:
        shelf, feed = opened.pages.shelf, opened.directory.feeds[FeedName("team")]
        fill(shelf.uow)
        ready = await shelf.project(feed, NAME)
        for dist in WHEELS:
            assert dist.filename.encode() in shelf.plain(ready, json=True)
        assert b"acme-core" in shelf.plain(await shelf.root(feed), json=True)
        with pytest.raises(NoRoom):
            await shelf.uow.write(lambda tx: tx.pages.put(feed.id, "other", ready.page))


async def test_a_new_page_of_an_upstream_is_not(bonded: Bonded, upstream: Upstream) -> None:
    upstream.add(*WHEELS)
    bonded.run("feed", "create", "team", "--upstream", upstream.url)
    async with rooms(Settings(data=bonded.data, access_log=False)) as opened:
        shelf, feed = opened.pages.shelf, opened.directory.feeds[FeedName("team")]
        fill(shelf.uow)
        with pytest.raises(NoRoom):
            await shelf.project(feed, NAME)


async def test_a_known_page_of_an_upstream_is_shown_stale(
    bonded: Bonded, upstream: Upstream
) -> None:
    upstream.add(WHEELS[0])
    bonded.run("feed", "create", "team", "--upstream", upstream.url)
    with folder(bonded.data) as opened:
        assert await listed(opened) == {WHEELS[0].filename}
        await opened.catalog.write(lambda tx: expire(tx))
        upstream.add(*WHEELS[1:])
        fill(opened.catalog)
        assert await listed(opened) == {WHEELS[0].filename}


def expire(tx: object) -> None:
    """The page is no longer fresh, so that the upstream is asked again."""
    tx.listings._on.exec_driver_sql(  # type: ignore[attr-defined]
        "UPDATE listings SET fresh_until = '2020-01-01 00:00:00'"
    )


async def listed(opened: Folder) -> set[str]:
    async with upstreams(opened) as reached:
        feed = await opened.catalog.read(lambda tx: tx.feeds.get(FeedName("team")))
        project = await reached.stack().index(feed).project(NAME)
    return {f.filename for f in project.files}
