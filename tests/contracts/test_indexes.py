"""What every Index does, and what each view makes of those it wraps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from packaging.utils import NormalizedName

from bonded.catalog.engine import SqliteCatalog
from bonded.model import keys
from bonded.model.feeds import Claim, Feed, UpstreamSpec
from bonded.model.files import Basis, File, Hidden, Kind, Project, Standing, Status
from bonded.model.names import FeedName, Pattern
from bonded.model.problems import Unavailable
from bonded.ports import Answer, Index, Row, Transaction
from bonded.testing import FakeRemote, FixedClock, MemoryIndex
from bonded.views.cached import Cached, Flights
from bonded.views.described import Described
from bonded.views.hosted import Hosted
from bonded.views.marked import Marked
from bonded.views.ordered import Ordered
from bonded.views.routed import Routed
from bonded.views.saved import Saved
from bonded.views.stack import Stack
from support.values import a_file, a_project

ACME, GHOST = NormalizedName("acme"), NormalizedName("ghost")
AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
SDIST, WHEEL = a_file("acme-1.0.tar.gz"), a_file("acme-1.0-py3-none-any.whl")
DOWN = Unavailable("The upstream is down.", code="down")


@pytest.fixture
async def feed(catalog: SqliteCatalog) -> Feed:
    """A feed with an upstream."""
    specs = [UpstreamSpec.parse("http://upstream.example/simple/")]
    return await catalog.write(lambda tx: tx.feeds.create(FeedName("team"), False, specs))


async def hold(catalog: SqliteCatalog, feed: Feed, *files: File, kind: Kind = Kind.HOSTED) -> None:
    def work(tx: Transaction) -> None:
        for file in files:
            assert file.sha256 is not None
            source = replace(file.source, kind=kind, upstream=None, url=None)
            tx.projects.put(feed, file.project, kind)
            tx.files.add(feed, Row(file=replace(file, source=source), blob=file.sha256, kind=kind))

    await catalog.write(work)


async def claim(catalog: SqliteCatalog, feed: Feed | None, pattern: str) -> None:
    place = feed.name if feed else None
    new = Claim(pattern=Pattern.parse(pattern), feed=place, why="by test", at=AT)
    await catalog.write(lambda tx: tx.claims.add(feed, new))


def names(project: Project) -> list[str]:
    return [f.filename for f in project.files]


# every index

Make = Callable[[SqliteCatalog, Feed], Awaitable[Index]]
INNER = a_project("acme", SDIST, WHEEL)


async def _memory(catalog: SqliteCatalog, feed: Feed) -> Index:
    return MemoryIndex(INNER)


async def _hosted(catalog: SqliteCatalog, feed: Feed) -> Index:
    await hold(catalog, feed, SDIST, WHEEL)
    return Hosted(feed, catalog)


async def _saved(catalog: SqliteCatalog, feed: Feed) -> Index:
    await hold(catalog, feed, SDIST, kind=Kind.SAVED)
    return Saved(MemoryIndex(INNER), feed, catalog)


async def _routed(catalog: SqliteCatalog, feed: Feed) -> Index:
    return Routed(MemoryIndex(), MemoryIndex(INNER), feed, catalog)


async def _ordered(catalog: SqliteCatalog, feed: Feed) -> Index:
    return Ordered((MemoryIndex(), MemoryIndex(INNER)))


async def _marked(catalog: SqliteCatalog, feed: Feed) -> Index:
    return Marked(MemoryIndex(INNER), feed, catalog)


async def _described(catalog: SqliteCatalog, feed: Feed) -> Index:
    return Described(MemoryIndex(INNER), catalog)


async def _cached(catalog: SqliteCatalog, feed: Feed) -> Index:
    absent = Project(name=GHOST, absent="not there")

    class Remote(FakeRemote):
        async def ask(self, name: NormalizedName, known: object) -> Answer:
            return Answer(project=INNER if name == ACME else absent)

    return Cached(Remote([]), feed.upstreams[0].id, catalog, FixedClock(), Flights())


async def _stack(catalog: SqliteCatalog, feed: Feed) -> Index:
    return Stack({feed.name: feed}, lambda _: MemoryIndex(INNER), catalog).index(feed)


ALL: list[Make] = [
    _memory, _hosted, _saved, _routed, _ordered, _marked, _described, _cached, _stack
]  # fmt: skip


@pytest.mark.parametrize("make", ALL, ids=lambda m: m.__name__.strip("_"))
async def test_a_project_that_is_there(catalog: SqliteCatalog, feed: Feed, make: Make) -> None:
    index = await make(catalog, feed)
    for _ in range(2):
        project = await index.project(ACME)
        assert project.name == "acme"
        assert project.absent is None
        assert sorted(names(project)) == sorted(names(INNER))
        assert {f.sha256 for f in project.files} == {SDIST.sha256, WHEEL.sha256}


@pytest.mark.parametrize("make", ALL, ids=lambda m: m.__name__.strip("_"))
async def test_a_project_that_is_not(catalog: SqliteCatalog, feed: Feed, make: Make) -> None:
    project = await (await make(catalog, feed)).project(GHOST)
    assert project.name == "ghost"
    assert project.absent
    assert project.files == ()


WRAPPING: list[Callable[[Index, Feed, SqliteCatalog], Index]] = [
    Saved,
    lambda inner, feed, catalog: Routed(MemoryIndex(), inner, feed, catalog),
    lambda inner, feed, catalog: Ordered((inner, MemoryIndex(INNER))),
    Marked,
    lambda inner, feed, catalog: Described(inner, catalog),
    lambda inner, feed, catalog: Stack({feed.name: feed}, lambda _: inner, catalog).index(feed),
]


@pytest.mark.parametrize("wrap", WRAPPING)
async def test_what_cannot_be_known_is_never_taken_for_absent(
    catalog: SqliteCatalog, feed: Feed, wrap: Callable[[Index, Feed, SqliteCatalog], Index]
) -> None:
    with pytest.raises(Unavailable):
        await wrap(MemoryIndex(problem=DOWN), feed, catalog).project(ACME)


@pytest.mark.parametrize("wrap", WRAPPING)
async def test_what_an_answer_depends_on_is_handed_on(
    catalog: SqliteCatalog, feed: Feed, wrap: Callable[[Index, Feed, SqliteCatalog], Index]
) -> None:
    inner = replace(INNER, basis=Basis((("inner", 7),), AT))
    project = await wrap(MemoryIndex(inner), feed, catalog).project(ACME)
    assert ("inner", 7) in project.basis.revisions
    assert project.basis.valid_until == AT


@pytest.mark.parametrize("wrap", WRAPPING)
async def test_what_was_hidden_stays_hidden(
    catalog: SqliteCatalog, feed: Feed, wrap: Callable[[Index, Feed, SqliteCatalog], Index]
) -> None:
    hidden = Hidden(filename="acme-0.egg", by="parse", reason="legacy")
    inner = MemoryIndex(replace(INNER, hidden=(hidden,)))
    assert hidden in (await wrap(inner, feed, catalog).project(ACME)).hidden


# Ordered


async def test_the_first_that_knows_a_name_answers_for_it_whole() -> None:
    first, second = MemoryIndex(a_project("acme", SDIST)), MemoryIndex(INNER)
    project = await Ordered((first, second)).project(ACME)
    assert names(project) == ["acme-1.0.tar.gz"]
    assert second.asked == []


async def test_one_that_fails_is_not_passed_over() -> None:
    second = MemoryIndex(INNER)
    with pytest.raises(Unavailable):
        await Ordered((MemoryIndex(problem=DOWN), second)).project(ACME)
    assert second.asked == []


async def test_one_that_owns_a_name_ends_the_search_though_it_has_nothing() -> None:
    owner = MemoryIndex(a_project("acme", absent="deleted", owned=True))
    second = MemoryIndex(INNER)
    project = await Ordered((owner, second)).project(ACME)
    assert project.absent == "deleted"
    assert second.asked == []


async def test_a_known_project_without_files_is_known() -> None:
    second = MemoryIndex(INNER)
    project = await Ordered((MemoryIndex(a_project("acme")), second)).project(ACME)
    assert (project.files, project.absent, second.asked) == ((), None, [])


async def test_those_asked_in_vain_count_for_the_answer() -> None:
    vain = a_project("acme", absent="no", basis=Basis((("vain", 1),), AT))
    project = await Ordered((MemoryIndex(vain), MemoryIndex(INNER))).project(ACME)
    assert project.basis == Basis((("vain", 1),), AT)


async def test_nobody_to_ask() -> None:
    assert (await Ordered(()).project(ACME)).absent


# Routed


@pytest.mark.parametrize("pattern", ["acme", "ac*", "*"])
@pytest.mark.parametrize("everywhere", [False, True])
async def test_a_claimed_name_is_never_asked_of_the_rest(
    catalog: SqliteCatalog, feed: Feed, pattern: str, everywhere: bool
) -> None:
    await claim(catalog, None if everywhere else feed, pattern)
    owner, rest = MemoryIndex(a_project("acme", SDIST)), MemoryIndex(INNER)
    project = await Routed(owner, rest, feed, catalog).project(ACME)
    assert names(project) == ["acme-1.0.tar.gz"]
    assert project.owned
    assert rest.asked == []


async def test_also_when_its_owner_has_nothing_of_it(catalog: SqliteCatalog, feed: Feed) -> None:
    await claim(catalog, feed, "acme")
    rest = MemoryIndex(INNER)
    project = await Routed(MemoryIndex(), rest, feed, catalog).project(ACME)
    assert project.absent is not None
    assert "no upstream is asked" in project.absent
    assert "claim acme" in project.absent
    assert project.owned
    assert rest.asked == []


async def test_also_when_its_last_file_was_deleted(catalog: SqliteCatalog, feed: Feed) -> None:
    await hold(catalog, feed, SDIST)
    await claim(catalog, feed, "acme")
    await catalog.write(lambda tx: tx.files.remove(feed, SDIST, AT))
    rest = MemoryIndex(INNER)
    project = await Routed(Hosted(feed, catalog), rest, feed, catalog).project(ACME)
    assert project.absent is not None
    assert project.owned
    assert rest.asked == []
    (hidden,) = project.hidden
    assert "it was deleted on 2026-01-01" in hidden.reason


async def test_a_name_that_is_not_claimed_goes_to_the_rest(
    catalog: SqliteCatalog, feed: Feed
) -> None:
    await claim(catalog, feed, "acme-*")
    owner = MemoryIndex()
    project = await Routed(owner, MemoryIndex(INNER), feed, catalog).project(ACME)
    assert names(project) == names(INNER)
    assert not project.owned
    assert owner.asked == []


async def test_a_later_claim_ends_what_was_answered_before(
    catalog: SqliteCatalog, feed: Feed
) -> None:
    for place, pattern in ((feed, "acme"), (feed, "ac*"), (None, "acme"), (None, "ac*")):
        project = await Routed(MemoryIndex(), MemoryIndex(INNER), feed, catalog).project(GHOST)
        project = await Routed(MemoryIndex(), MemoryIndex(INNER), feed, catalog).project(ACME)
        await claim(catalog, place, pattern)
        wanted = [key for key, _ in project.basis.revisions]
        now = await catalog.read(lambda tx, w=wanted: tx.revisions.of(w))  # type: ignore[misc]
        assert now.revisions != project.basis.revisions
        await catalog.write(lambda tx, p=place, t=pattern: tx.claims.remove(p, Pattern(t)))  # type: ignore[misc]


# Hosted


async def test_hosted_says_why_other_files_are_not_shown(
    catalog: SqliteCatalog, feed: Feed
) -> None:
    await hold(catalog, feed, SDIST, kind=Kind.SAVED)
    await hold(catalog, feed, WHEEL)
    project = await Hosted(feed, catalog).project(ACME)
    assert names(project) == [WHEEL.filename]
    (hidden,) = project.hidden
    assert (hidden.filename, hidden.by) == (SDIST.filename, "hosted")
    assert "took the name over" in hidden.reason


# Saved


async def test_saved_files_stay_when_the_upstream_drops_them(
    catalog: SqliteCatalog, feed: Feed
) -> None:
    await hold(catalog, feed, SDIST, kind=Kind.SAVED)
    for rest in (
        MemoryIndex(a_project("acme", WHEEL)),
        MemoryIndex(a_project("acme")),
        MemoryIndex(),
        MemoryIndex(problem=DOWN),
    ):
        project = await Saved(rest, feed, catalog).project(ACME)
        assert SDIST.filename in names(project)
        assert project.absent is None
        assert next(f for f in project.files if f == SDIST).source.kind is Kind.SAVED


async def test_other_bytes_under_a_saved_filename_are_refused(
    catalog: SqliteCatalog, feed: Feed
) -> None:
    await hold(catalog, feed, SDIST, kind=Kind.SAVED)
    other = replace(SDIST, sha256="0" * 64)
    project = await Saved(MemoryIndex(a_project("acme", other, WHEEL)), feed, catalog).project(ACME)
    assert sorted(names(project)) == sorted(names(INNER))
    assert SDIST in project.files
    (hidden,) = project.hidden
    assert (hidden.filename, hidden.by) == (SDIST.filename, "saved")
    assert "0" * 64 in hidden.reason


@pytest.mark.parametrize("sha256", [SDIST.sha256, None])
async def test_yanks_and_times_follow_the_upstream_while_it_answers(
    catalog: SqliteCatalog, feed: Feed, sha256: str | None
) -> None:
    await hold(catalog, feed, SDIST, kind=Kind.SAVED)
    listed = replace(SDIST, sha256=sha256, yanked="broken", uploaded=AT, requires_python=">=3")
    status = Status(standing=Standing.DEPRECATED, reason="r")
    rest = MemoryIndex(a_project("acme", listed, status=status))
    project = await Saved(rest, feed, catalog).project(ACME)
    (file,) = project.files
    assert (file.yanked, file.uploaded, file.requires_python) == ("broken", AT, ">=3")
    assert (file.source.kind, file.sha256) == (Kind.SAVED, SDIST.sha256)
    assert project.status == status


async def test_nothing_saved_and_a_failing_upstream_is_unavailable(
    catalog: SqliteCatalog, feed: Feed
) -> None:
    await hold(catalog, feed, SDIST)  # hosted, not saved
    with pytest.raises(Unavailable):
        await Saved(MemoryIndex(problem=DOWN), feed, catalog).project(ACME)


async def test_what_a_feed_behind_owns_is_not_mixed_with_what_was_saved(
    catalog: SqliteCatalog, feed: Feed
) -> None:
    await hold(catalog, feed, SDIST, kind=Kind.SAVED)
    rest = MemoryIndex(a_project("acme", WHEEL, owned=True))
    project = await Saved(rest, feed, catalog).project(ACME)
    assert names(project) == [WHEEL.filename]


# Marked


@pytest.mark.parametrize("given_here", [True, False])
async def test_quarantine_hides_every_file_with_403(
    catalog: SqliteCatalog, feed: Feed, given_here: bool
) -> None:
    status = Status(standing=Standing.QUARANTINED, reason="malware")
    inner = INNER if given_here else replace(INNER, status=status)
    await catalog.write(lambda tx: tx.projects.put(feed, ACME, Kind.UPSTREAM))
    if given_here:
        await catalog.write(lambda tx: tx.projects.mark(feed, ACME, status))
    project = await Marked(MemoryIndex(inner), feed, catalog).project(ACME)
    assert project.files == ()
    assert project.absent is None
    assert project.status == status
    assert {h.filename for h in project.hidden} == set(names(INNER))
    assert {h.status for h in project.hidden} == {403}
    assert all("malware" in h.reason for h in project.hidden)
    assert all(("feed team" in h.reason) is given_here for h in project.hidden)


@pytest.mark.parametrize("standing", [Standing.ARCHIVED, Standing.DEPRECATED, Standing.ACTIVE])
async def test_other_statuses_are_shown_and_hide_nothing(
    catalog: SqliteCatalog, feed: Feed, standing: Standing
) -> None:
    status = Status(standing=standing, reason="r")
    await catalog.write(lambda tx: tx.projects.put(feed, ACME, Kind.UPSTREAM))
    await catalog.write(lambda tx: tx.projects.mark(feed, ACME, status))
    upstream = replace(INNER, status=Status(standing=Standing.QUARANTINED))
    project = await Marked(MemoryIndex(upstream), feed, catalog).project(ACME)
    assert project.status == status
    assert names(project) == names(INNER)


# Described


async def test_metadata_that_was_made_is_advertised(catalog: SqliteCatalog, feed: Feed) -> None:
    number = feed.upstreams[0].id
    made = await catalog.write(lambda tx: tx.metadata.put(b"Name: acme"))
    await catalog.write(lambda tx: tx.metadata.describe(number, WHEEL, made))
    project = await Described(MemoryIndex(INNER), catalog).project(ACME)
    assert {f.filename: f.metadata for f in project.files} == {
        WHEEL.filename: made,
        SDIST.filename: None,
    }


async def test_metadata_made_for_other_bytes_is_not(catalog: SqliteCatalog, feed: Feed) -> None:
    number = feed.upstreams[0].id
    made = await catalog.write(lambda tx: tx.metadata.put(b"Name: acme"))
    changed = replace(WHEEL, sha256="0" * 64)
    await catalog.write(lambda tx: tx.metadata.describe(number, changed, made))
    project = await Described(MemoryIndex(INNER), catalog).project(ACME)
    assert [f.metadata for f in project.files] == [None, None]


async def test_what_the_upstream_vouches_for_is_left_alone(
    catalog: SqliteCatalog, feed: Feed
) -> None:
    vouched = replace(WHEEL, metadata="ef" * 32)
    project = await Described(MemoryIndex(a_project("acme", vouched)), catalog).project(ACME)
    assert project.files[0].metadata == "ef" * 32


# Stack


async def test_the_stack_s_repr_is_the_configuration(catalog: SqliteCatalog, feed: Feed) -> None:
    index = Stack({feed.name: feed}, lambda _: MemoryIndex(), catalog).index(feed)
    shape = repr(index)
    order = [shape.index(n) for n in ("Described(", "Marked(", "Routed(", "Hosted(", "Saved(")]
    assert order == sorted(order)


async def test_a_name_owned_by_a_feed_behind_is_asked_of_no_server(catalog: SqliteCatalog) -> None:
    base = await catalog.write(lambda tx: tx.feeds.create(FeedName("base"), False, []))
    specs = [UpstreamSpec.parse(t) for t in ("feed:base", "http://stranger.example/")]
    team = await catalog.write(lambda tx: tx.feeds.create(FeedName("team"), False, specs))
    await hold(catalog, base, SDIST)
    await claim(catalog, base, "acme")
    stranger = MemoryIndex(a_project("acme", WHEEL))
    stack = Stack({base.name: base, team.name: team}, lambda _: stranger, catalog)
    project = await stack.index(team).project(ACME)
    assert names(project) == [SDIST.filename]
    await catalog.write(lambda tx: tx.files.remove(base, SDIST, AT))
    project = await stack.index(team).project(ACME)
    assert project.absent is not None
    assert stranger.asked == []


async def test_a_name_claimed_in_front_is_still_found_in_a_feed_behind(
    catalog: SqliteCatalog,
) -> None:
    base = await catalog.write(lambda tx: tx.feeds.create(FeedName("base"), False, []))
    specs = [UpstreamSpec.parse(t) for t in ("feed:base", "http://stranger.example/")]
    team = await catalog.write(lambda tx: tx.feeds.create(FeedName("team"), False, specs))
    await hold(catalog, base, SDIST)
    await claim(catalog, team, "acme")
    stranger = MemoryIndex(a_project("acme", WHEEL))
    stack = Stack({base.name: base, team.name: team}, lambda _: stranger, catalog)
    assert names(await stack.index(team).project(ACME)) == [SDIST.filename]
    assert stranger.asked == []


async def test_the_page_s_basis_names_what_can_change_it(
    catalog: SqliteCatalog, feed: Feed
) -> None:
    index = Stack({feed.name: feed}, lambda _: MemoryIndex(INNER), catalog).index(feed)
    held = {key for key, _ in (await index.project(ACME)).basis.revisions}
    assert held >= {
        keys.CLAIMS, keys.settings(feed.id), keys.patterns(feed.id), keys.project(feed.id, ACME)
    }  # fmt: skip
