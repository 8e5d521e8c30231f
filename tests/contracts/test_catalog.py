"""What every UnitOfWork does, and each aggregate it hands out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from packaging.utils import NormalizedName

from bonded.model import keys
from bonded.model.feeds import Claim, Feed, UpstreamSpec
from bonded.model.files import File, Hidden, Kind, Status
from bonded.model.files import Standing as Marker
from bonded.model.names import FeedName, Pattern
from bonded.model.problems import Conflict, NotFound
from bonded.model.tokens import Scope
from bonded.ports import Listing, Row, StoredPage, Transaction, UnitOfWork, Validators
from bonded.testing import FixedClock
from support.values import a_file, a_project

T = TypeVar("T")
ACME, OTHER = NormalizedName("acme"), NormalizedName("other")
AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def a_row(filename: str, kind: Kind = Kind.HOSTED) -> Row:
    file = a_file(filename, kind=kind, requires_python=">=3.9", metadata="cd" * 32, uploaded=AT)
    assert file.sha256 is not None
    return Row(file=file, blob=file.sha256, kind=kind)


def make(tx: Transaction, name: str = "team", *specs: str, public: bool = False) -> Feed:
    return tx.feeds.create(FeedName(name), public, [UpstreamSpec.parse(s) for s in specs])


def hold(tx: Transaction, feed: Feed, *filenames: str, kind: Kind = Kind.HOSTED) -> None:
    for filename in filenames:
        row = a_row(filename, kind)
        tx.projects.put(feed, row.file.project, kind)
        tx.files.add(feed, row)


def revision(tx: Transaction, key: str) -> int:
    return tx.revisions.of([key]).revisions[0][1]


async def bumped(catalog: UnitOfWork, key: str, work: Callable[[Transaction], object]) -> bool:
    """Whether `work` bumps the revision of `key`."""
    before = await catalog.read(lambda tx: revision(tx, key))
    await catalog.write(work)
    return await catalog.read(lambda tx: revision(tx, key)) > before


# transactions


async def test_what_was_written_is_read(catalog: UnitOfWork) -> None:
    made = await catalog.write(make)
    assert await catalog.read(lambda tx: tx.feeds.get(FeedName("team"))) == made


async def test_what_raises_changes_nothing(catalog: UnitOfWork) -> None:
    def work(tx: Transaction) -> None:
        make(tx)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await catalog.write(work)
    assert await catalog.read(lambda tx: tx.feeds.all()) == []


async def test_writers_at_once_all_get_their_turn(catalog: UnitOfWork) -> None:
    await asyncio.gather(
        *(catalog.write(lambda tx: tx.revisions.bump("counter")) for _ in range(50))
    )
    assert await catalog.read(lambda tx: revision(tx, "counter")) == 50


async def test_readers_at_once(catalog: UnitOfWork) -> None:
    await catalog.write(make)
    found = await asyncio.gather(*(catalog.read(lambda tx: tx.feeds.all()) for _ in range(40)))
    assert {len(feeds) for feeds in found} == {1}


async def test_a_reader_sees_one_unchanging_view(catalog: UnitOfWork) -> None:
    loop = asyncio.get_running_loop()

    def look(tx: Transaction) -> tuple[int, int]:
        first = revision(tx, "k")
        asyncio.run_coroutine_threadsafe(
            catalog.write(lambda tx: tx.revisions.bump("k")), loop
        ).result(10)
        return first, revision(tx, "k")

    assert await catalog.read(look) == (0, 0)
    assert await catalog.read(lambda tx: revision(tx, "k")) == 1


# revisions


async def test_revisions_begin_at_0_and_count(catalog: UnitOfWork) -> None:
    assert (await catalog.read(lambda tx: tx.revisions.of(["b", "a"]))).revisions == (
        ("a", 0),
        ("b", 0),
    )
    await catalog.write(lambda tx: tx.revisions.bump("a", "b"))
    await catalog.write(lambda tx: tx.revisions.bump("a"))
    assert (await catalog.read(lambda tx: tx.revisions.of(["a", "b", "c"]))).revisions == (
        ("a", 2),
        ("b", 1),
        ("c", 0),
    )


async def test_revisions_of_nothing(catalog: UnitOfWork) -> None:
    assert (await catalog.read(lambda tx: tx.revisions.of([]))).revisions == ()


# feeds


async def test_feeds_keep_their_settings_in_order(catalog: UnitOfWork, clock: FixedClock) -> None:
    await catalog.write(lambda tx: make(tx, "base"))
    feed = await catalog.write(
        lambda tx: make(tx, "team", "https://b.example/", "feed:base", "default", public=True)
    )
    assert [str(u.spec) for u in feed.upstreams] == ["https://b.example/", "feed:base", "default"]
    assert feed.public
    assert feed.created == clock()
    assert [f.name for f in await catalog.read(lambda tx: tx.feeds.all())] == ["base", "team"]


async def test_feeds_share_upstreams_by_number(catalog: UnitOfWork) -> None:
    one = await catalog.write(lambda tx: make(tx, "one", "default"))
    two = await catalog.write(lambda tx: make(tx, "two", "https://x.example/", "default"))
    assert one.upstreams[0].id == two.upstreams[1].id != two.upstreams[0].id


async def test_two_feeds_of_one_name(catalog: UnitOfWork) -> None:
    await catalog.write(make)
    with pytest.raises(Conflict):
        await catalog.write(make)


async def test_an_unknown_feed_is_told_with_those_there_are(catalog: UnitOfWork) -> None:
    await catalog.write(make)
    with pytest.raises(NotFound) as refused:
        await catalog.read(lambda tx: tx.feeds.get(FeedName("taem")))
    assert "team" in (refused.value.hint or "")


async def test_changes_to_feeds_are_seen(catalog: UnitOfWork) -> None:
    feed = await catalog.write(lambda tx: make(tx, "team", "default"))

    def change(tx: Transaction) -> Feed:
        return tx.feeds.change(feed, True, [UpstreamSpec.parse("https://x.example/")])

    assert await bumped(catalog, keys.FEEDS, change)
    assert await bumped(catalog, keys.settings(feed.id), change)
    now = await catalog.read(lambda tx: tx.feeds.get(feed.name))
    assert (now.public, [str(u.spec) for u in now.upstreams]) == (True, ["https://x.example/"])
    assert now.id == feed.id


async def test_a_deleted_feed_takes_everything_along(catalog: UnitOfWork) -> None:
    feed = await catalog.write(make)

    def fill(tx: Transaction) -> None:
        hold(tx, feed, "acme-1.tar.gz")
        tx.claims.add(feed, claim("acme", feed))
        tx.tokens.add(b"d" * 32, "l", Scope.READ, [feed], None)
        tx.pages.put(feed.id, "acme", PAGE)
        tx.feeds.delete(feed)

    await catalog.write(fill)
    again = await catalog.write(make)
    assert again.id != feed.id, "a number used again would let old tokens and pages in"

    def look(tx: Transaction) -> None:
        assert tx.files.of(again, ACME) == []
        assert tx.claims.all() == []
        assert tx.tokens.all()[0].feeds == ()
        assert tx.pages.get(feed.id, "acme") is None
        assert list(tx.holdings.all()) == []

    await catalog.read(look)


# projects and files


async def test_files_are_held_as_given(catalog: UnitOfWork, clock: FixedClock) -> None:
    feed = await catalog.write(make)
    await catalog.write(lambda tx: hold(tx, feed, "acme-1!1.0+l.1-py3-none-any.whl"))
    (row,) = await catalog.read(lambda tx: tx.files.of(feed, ACME))
    given = a_row("acme-1!1.0+l.1-py3-none-any.whl")
    for name in (
        "project",
        "filename",
        "sha256",
        "size",
        "uploaded",
        "requires_python",
        "metadata",
    ):
        assert getattr(row.file, name) == getattr(given.file, name), name
    assert row.file.version == given.file.version
    assert (row.blob, row.kind, row.deleted, row.added) == (given.blob, Kind.HOSTED, None, clock())
    found = await catalog.read(lambda tx: tx.files.find(feed, given.file.filename))
    assert found == row
    assert await catalog.read(lambda tx: tx.files.find(feed, "acme-2.tar.gz")) is None


async def test_files_of_other_feeds_and_projects_are_not_mixed_in(catalog: UnitOfWork) -> None:
    one = await catalog.write(lambda tx: make(tx, "one"))
    two = await catalog.write(lambda tx: make(tx, "two"))
    await catalog.write(lambda tx: hold(tx, one, "acme-1.tar.gz", "other-1.tar.gz"))
    await catalog.write(lambda tx: hold(tx, two, "acme-1.tar.gz", "acme-2.tar.gz"))
    assert len(await catalog.read(lambda tx: tx.files.of(one, ACME))) == 1
    assert len(await catalog.read(lambda tx: tx.files.of(two, ACME))) == 2
    assert await catalog.read(lambda tx: tx.files.of(two, OTHER)) == []


CHANGES: dict[str, Callable[[Transaction, Feed, File], object]] = {
    "add": lambda tx, feed, file: hold(tx, feed, "acme-2.tar.gz"),
    "yank": lambda tx, feed, file: tx.files.yank(feed, [file], "bad"),
    "remove": lambda tx, feed, file: tx.files.remove(feed, file, AT),
    "forget": lambda tx, feed, file: tx.files.remove(feed, file, None),
    "adopt": lambda tx, feed, file: tx.files.adopt(feed, file.filename),
    "mark": lambda tx, feed, file: tx.projects.mark(feed, ACME, None),
    "claim": lambda tx, feed, file: tx.claims.add(feed, claim("acme", feed)),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_every_change_to_a_project_bumps_it_and_no_other(
    catalog: UnitOfWork, change: str
) -> None:
    feed = await catalog.write(make)
    await catalog.write(lambda tx: hold(tx, feed, "acme-1.tar.gz"))
    file = a_row("acme-1.tar.gz").file

    def work(tx: Transaction) -> None:
        CHANGES[change](tx, feed, file)

    other = await catalog.read(lambda tx: revision(tx, keys.project(feed.id, OTHER)))
    assert await bumped(catalog, keys.project(feed.id, ACME), work)
    assert await catalog.read(lambda tx: revision(tx, keys.project(feed.id, OTHER))) == other


async def test_yank_and_unyank(catalog: UnitOfWork) -> None:
    feed = await catalog.write(make)
    await catalog.write(lambda tx: hold(tx, feed, "acme-1.tar.gz", "acme-2.tar.gz"))
    file = a_row("acme-1.tar.gz").file
    for reason in ("bad", "", None):
        await catalog.write(lambda tx, r=reason: tx.files.yank(feed, [file], r))
        rows = await catalog.read(lambda tx: tx.files.of(feed, ACME))
        assert [r.file.yanked for r in rows] == [reason, None]


async def test_a_deleted_file_keeps_its_name_and_a_forgotten_one_does_not(
    catalog: UnitOfWork,
) -> None:
    feed = await catalog.write(make)
    await catalog.write(lambda tx: hold(tx, feed, "acme-1.tar.gz", "acme-2.tar.gz"))
    one, two = a_row("acme-1.tar.gz").file, a_row("acme-2.tar.gz").file
    await catalog.write(lambda tx: tx.files.remove(feed, one, AT))
    await catalog.write(lambda tx: tx.files.remove(feed, two, None))
    (row,) = await catalog.read(lambda tx: tx.files.of(feed, ACME))
    assert (row.file.filename, row.deleted) == ("acme-1.tar.gz", AT)
    assert await catalog.read(lambda tx: tx.files.find(feed, "acme-2.tar.gz")) is None


async def test_an_adopted_file_is_hosted(catalog: UnitOfWork) -> None:
    feed = await catalog.write(make)
    await catalog.write(lambda tx: hold(tx, feed, "acme-1.tar.gz", kind=Kind.SAVED))
    await catalog.write(lambda tx: tx.files.adopt(feed, "acme-1.tar.gz"))
    (row,) = await catalog.read(lambda tx: tx.files.of(feed, ACME))
    assert (row.kind, row.file.source.kind) == (Kind.HOSTED, Kind.HOSTED)


async def test_names_are_those_with_files(catalog: UnitOfWork) -> None:
    feed = await catalog.write(make)

    def fill(tx: Transaction) -> None:
        hold(tx, feed, "c-1.tar.gz", "a-1.tar.gz", "a-2.tar.gz", "b-1.tar.gz")
        tx.projects.put(feed, NormalizedName("empty"), Kind.UPSTREAM)

    assert await bumped(catalog, keys.names(feed.id), fill)

    async def names(after: str = "", limit: int = 10) -> list[str]:
        return list(await catalog.read(lambda tx: tx.projects.names(feed, after, limit)))

    assert await names() == ["a", "b", "c"]
    assert await names(limit=2) == ["a", "b"]
    assert await names(after="a") == ["b", "c"]
    one, two = a_row("a-1.tar.gz").file, a_row("a-2.tar.gz").file
    key = keys.names(feed.id)
    assert not await bumped(catalog, key, lambda tx: tx.files.remove(feed, one, AT))
    assert await names() == ["a", "b", "c"]
    assert await bumped(catalog, key, lambda tx: tx.files.remove(feed, two, None))
    assert await names() == ["b", "c"]
    assert await bumped(catalog, key, lambda tx: hold(tx, feed, "a-3.tar.gz"))
    assert not await bumped(catalog, key, lambda tx: hold(tx, feed, "a-4.tar.gz"))


async def test_standings(catalog: UnitOfWork) -> None:
    feed = await catalog.write(make)
    assert await catalog.read(lambda tx: tx.projects.get(feed, ACME)) is None
    await catalog.write(lambda tx: tx.projects.put(feed, ACME, Kind.UPSTREAM))
    status = Status(standing=Marker.ARCHIVED, reason="moved")
    await catalog.write(lambda tx: tx.projects.mark(feed, ACME, status))
    known = await catalog.read(lambda tx: tx.projects.get(feed, ACME))
    assert known is not None
    assert (known.kind, known.status) == (Kind.UPSTREAM, status)
    assert await catalog.read(lambda tx: tx.projects.upstream(feed)) == [(feed.id, ACME)]
    await catalog.write(lambda tx: tx.projects.put(feed, ACME, Kind.HOSTED))
    await catalog.write(lambda tx: tx.projects.mark(feed, ACME, None))
    known = await catalog.read(lambda tx: tx.projects.get(feed, ACME))
    assert known is not None
    assert (known.kind, known.status) == (Kind.HOSTED, None)
    assert await catalog.read(lambda tx: tx.projects.upstream(None)) == []


# holdings


async def test_holdings_are_what_is_listed_anywhere(catalog: UnitOfWork) -> None:
    one = await catalog.write(lambda tx: make(tx, "one"))
    two = await catalog.write(lambda tx: make(tx, "two"))
    await catalog.write(lambda tx: hold(tx, one, "acme-1.tar.gz", "acme-2.tar.gz"))
    await catalog.write(lambda tx: hold(tx, two, "acme-1.tar.gz"))
    first, second = a_row("acme-1.tar.gz"), a_row("acme-2.tar.gz")

    async def refers(row: Row) -> bool:
        return await catalog.read(lambda tx: tx.holdings.refers(row.blob))

    assert await refers(first)
    await catalog.write(lambda tx: tx.files.remove(one, first.file, AT))
    assert await refers(first), "the other feed has it still"
    await catalog.write(lambda tx: tx.files.remove(two, first.file, None))
    assert not await refers(first)
    listed = await catalog.read(lambda tx: list(tx.holdings.all()))
    assert [(feed, row.blob) for feed, row in listed] == [("one", second.blob)]
    assert await catalog.read(lambda tx: tx.holdings.total(one)) == (1, 100)
    assert await catalog.read(lambda tx: tx.holdings.total(two)) == (0, 0)


# metadata


async def test_metadata_is_kept_once_and_pruned_when_unused(catalog: UnitOfWork) -> None:
    feed = await catalog.write(lambda tx: make(tx, "team", "default"))
    upstream = feed.upstreams[0].id
    listed = a_file("acme-1-py3-none-any.whl")
    sha256 = await catalog.write(lambda tx: tx.metadata.put(b"used"))
    loose = await catalog.write(lambda tx: tx.metadata.put(b"loose"))
    assert await catalog.write(lambda tx: tx.metadata.put(b"used")) == sha256

    def describe(tx: Transaction) -> None:
        tx.metadata.describe(upstream, listed, sha256)

    assert await bumped(catalog, keys.listing(upstream, ACME), describe)
    await catalog.write(lambda tx: tx.metadata.prune())
    assert await catalog.read(lambda tx: tx.metadata.get(sha256)) == b"used"
    assert await catalog.read(lambda tx: tx.metadata.get(loose)) is None
    found = await catalog.read(lambda tx: tx.metadata.described(upstream, ACME))
    assert found == {(listed.filename, listed.sha256): sha256}
    assert await catalog.read(lambda tx: tx.metadata.described(upstream, OTHER)) == {}


# claims


def claim(pattern: str, feed: Feed | None, why: str = "by me") -> Claim:
    return Claim(pattern=Pattern.parse(pattern), feed=feed.name if feed else None, why=why, at=AT)


@pytest.mark.parametrize(
    ("pattern", "everywhere", "name", "covered"),
    [
        ("acme", False, "acme", True),
        ("acme", False, "acme-core", False),
        ("acme-*", False, "acme-core", True),
        ("acme-*", False, "acme", False),
        ("acme", True, "acme", True),
        ("acme-*", True, "acme-core", True),
    ],
)
async def test_claims_cover(
    catalog: UnitOfWork, pattern: str, everywhere: bool, name: str, covered: bool
) -> None:
    feed = await catalog.write(make)
    other = await catalog.write(lambda tx: make(tx, "other"))
    place = None if everywhere else feed
    assert await catalog.write(lambda tx: tx.claims.add(place, claim(pattern, place)))
    assert not await catalog.write(lambda tx: tx.claims.add(place, claim(pattern, place)))
    normal = NormalizedName(name)
    found = await catalog.read(lambda tx: tx.claims.covering(feed, normal))
    assert (found == claim(pattern, place)) is covered
    elsewhere = await catalog.read(lambda tx: tx.claims.covering(other, normal))
    assert (elsewhere is not None) is (covered and everywhere)
    assert await catalog.write(lambda tx: tx.claims.remove(place, Pattern.parse(pattern)))
    assert not await catalog.write(lambda tx: tx.claims.remove(place, Pattern.parse(pattern)))
    assert await catalog.read(lambda tx: tx.claims.covering(feed, normal)) is None


async def test_a_feed_s_own_claim_is_named_before_that_for_all(catalog: UnitOfWork) -> None:
    feed = await catalog.write(make)
    await catalog.write(lambda tx: tx.claims.add(None, claim("acme", None, "global")))
    await catalog.write(lambda tx: tx.claims.add(feed, claim("acme", feed, "own")))
    found = await catalog.read(lambda tx: tx.claims.covering(feed, ACME))
    assert found is not None
    assert found.why == "own"


async def test_claims_bump_what_they_change(catalog: UnitOfWork) -> None:
    feed = await catalog.write(make)
    places: list[tuple[str, Feed | None, str]] = [
        ("acme", feed, keys.project(feed.id, ACME)),
        ("acme-*", feed, keys.patterns(feed.id)),
        ("acme", None, keys.CLAIMS),
        ("acme-*", None, keys.CLAIMS),
    ]
    for pattern, place, key in places:
        new = claim(pattern, place)
        assert await bumped(catalog, key, lambda tx, p=place, n=new: tx.claims.add(p, n))  # type: ignore[misc]
        assert await bumped(catalog, key, lambda tx, p=place, n=new: tx.claims.remove(p, n.pattern))  # type: ignore[misc]


# tokens


async def test_tokens(catalog: UnitOfWork, clock: FixedClock) -> None:
    feed = await catalog.write(make)
    until = AT + timedelta(days=1)
    added = await catalog.write(
        lambda tx: tx.tokens.add(b"x" * 32, "ci", Scope.WRITE, [feed], until)
    )
    assert (added.label, added.scope, added.feeds) == ("ci", Scope.WRITE, ("team",))
    assert (added.created, added.expires, added.revoked) == (clock(), until, None)
    assert await catalog.read(lambda tx: tx.tokens.all()) == [added]
    assert await bumped(catalog, keys.TOKENS, lambda tx: tx.tokens.revoke(added.id, AT))
    (revoked,) = await catalog.read(lambda tx: tx.tokens.all())
    assert revoked.revoked == AT
    assert await bumped(
        catalog, keys.TOKENS, lambda tx: tx.tokens.add(b"y" * 32, "x", Scope.READ, [feed], None)
    )


# listings


HIDDEN = Hidden(filename="acme-0.egg", by="parse", reason="legacy")


def listing(*filenames: str, **more: object) -> Listing:
    project = a_project("acme", *map(a_file, filenames), hidden=(HIDDEN,), **more)
    validators = Validators(etag='"1"', last_modified="yesterday")
    return Listing(origin="an upstream", project=project, validators=validators, fresh_until=AT)


async def test_listings_are_kept_whole(catalog: UnitOfWork) -> None:
    feed = await catalog.write(lambda tx: make(tx, "team", "default"))
    number = feed.upstreams[0].id
    assert await catalog.read(lambda tx: tx.listings.get(number, ACME)) is None
    given = listing(
        "acme-1.tar.gz", status=Status(standing=Marker.DEPRECATED, reason="old"), absent=None
    )
    await catalog.write(lambda tx: tx.listings.put(number, given))
    kept = await catalog.read(lambda tx: tx.listings.get(number, ACME))
    assert kept is not None
    assert kept.project.files == given.project.files
    assert kept.project.hidden == (HIDDEN,)
    assert kept.project.status == given.project.status
    assert (kept.validators, kept.fresh_until) == (given.validators, AT)
    assert kept.project.basis.revisions == ((keys.listing(number, ACME), 1),)


async def test_a_page_that_says_the_same_bumps_nothing(catalog: UnitOfWork) -> None:
    feed = await catalog.write(lambda tx: make(tx, "team", "default"))
    number = feed.upstreams[0].id
    key = keys.listing(number, ACME)
    first = listing("acme-1.tar.gz")
    assert await bumped(catalog, key, lambda tx: tx.listings.put(number, first))
    assert not await bumped(catalog, key, lambda tx: tx.listings.put(number, first))
    later = AT + timedelta(hours=1)
    assert not await bumped(catalog, key, lambda tx: tx.listings.renew(number, ACME, later))
    kept = await catalog.read(lambda tx: tx.listings.get(number, ACME))
    assert kept is not None
    assert kept.fresh_until == later
    second = listing("acme-1.tar.gz", "acme-2.tar.gz")
    assert await bumped(catalog, key, lambda tx: tx.listings.put(number, second))
    gone = listing(absent="no such project")
    assert await bumped(catalog, key, lambda tx: tx.listings.put(number, gone))
    kept = await catalog.read(lambda tx: tx.listings.get(number, ACME))
    assert kept is not None
    assert kept.project.absent == "no such project"


# pages


PAGE = StoredPage(
    basis=a_project("acme").basis, etag="e", json_gz=b"\0j", html_gz=b"h", entries=b"x"
)


async def test_pages_are_replaced(catalog: UnitOfWork) -> None:
    feed = await catalog.write(make)
    assert await catalog.read(lambda tx: tx.pages.get(feed.id, "acme")) is None
    for etag in ("one", "two"):
        page = StoredPage(
            basis=type(PAGE.basis)((("k", 1),), AT),
            etag=etag,
            json_gz=b"j",
            html_gz=b"h",
            entries=b"",
        )
        await catalog.write(lambda tx, p=page: tx.pages.put(feed.id, "acme", p))  # type: ignore[misc]
        assert await catalog.read(lambda tx: tx.pages.get(feed.id, "acme")) == page


# audit


async def test_the_audit_tells_in_order_and_by_feed_and_time(
    catalog: UnitOfWork, clock: FixedClock
) -> None:
    feed = await catalog.write(make)
    await catalog.write(lambda tx: tx.audit.write("me", "one", feed, "s", "d"))
    clock.move(hours=1)
    await catalog.write(lambda tx: tx.audit.write("me", "two", None, "s"))
    await catalog.write(lambda tx: tx.audit.write("me", "three", feed, "s"))

    async def actions(since: datetime | None, name: str | None, limit: int = 10) -> list[str]:
        place = FeedName(name) if name else None
        events = await catalog.read(lambda tx: tx.audit.read(since, place, limit))
        return [e.action for e in events]

    assert await actions(None, None) == ["one", "two", "three"]
    assert await actions(None, "team") == ["one", "three"]
    assert await actions(clock(), None) == ["two", "three"]
    assert await actions(None, None, 1) == ["three"]
    (event, *_) = await catalog.read(lambda tx: tx.audit.read(None, None, 10))
    assert (event.at, event.actor, event.feed, event.subject, event.detail) == (
        AT, "me", "team", "s", "d"
    )  # fmt: skip


async def test_once_says_a_thing_once(catalog: UnitOfWork) -> None:
    feed = await catalog.write(make)
    for place in (feed, feed, None, None):
        await catalog.write(lambda tx, p=place: tx.audit.once("b", "refuse", p, "s", "d"))  # type: ignore[misc]
    await catalog.write(lambda tx: tx.audit.once("b", "refuse", feed, "s", "other"))
    assert len(await catalog.read(lambda tx: tx.audit.read(None, None, 10))) == 3


async def test_the_audit_of_a_deleted_feed_stays(catalog: UnitOfWork) -> None:
    feed = await catalog.write(make)
    await catalog.write(lambda tx: tx.audit.write("me", "one", feed, "s"))
    await catalog.write(lambda tx: tx.feeds.delete(feed))
    assert [e.feed for e in await catalog.read(lambda tx: tx.audit.read(None, None, 5))] == ["team"]
