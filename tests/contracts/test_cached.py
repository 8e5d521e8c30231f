"""An upstream's pages: fresh, revalidated, stale when it fails, and asked for once at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from packaging.utils import NormalizedName

from bonded.catalog.engine import SqliteCatalog
from bonded.model import keys
from bonded.model.feeds import UpstreamSpec
from bonded.model.files import Project
from bonded.model.names import FeedName
from bonded.model.problems import Problem, Unavailable
from bonded.ports import Answer, Validators
from bonded.testing import FakeRemote, FixedClock
from bonded.views import cached
from bonded.views.cached import ABSENT, LONGEST, RESTING, SHORTEST, UNSAID, Cached, Flights
from support.values import a_file, a_project

ACME, OTHER = NormalizedName("acme"), NormalizedName("other")
FIRST = a_project("acme", a_file("acme-1.tar.gz"))
SECOND = a_project("acme", a_file("acme-1.tar.gz"), a_file("acme-2.tar.gz"))
ETAG = Validators(etag='"1"')
DOWN = Unavailable("The upstream is down.", code="upstream-unreachable")
UNCHANGED = Answer(project=None, max_age=60)
GONE = Answer(project=Project(name=ACME, absent="no such project"))


def page(project: Project = FIRST, max_age: int | None = 60) -> Answer:
    return Answer(project=project, validators=ETAG, max_age=max_age)


@dataclass
class Held:
    """An index over a fake upstream whose answers can be held back."""

    index: Cached
    remote: FakeRemote
    clock: FixedClock
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def files(self, name: NormalizedName = ACME) -> int:
        return len((await self.index.project(name)).files)

    @property
    def asked(self) -> int:
        return len(self.remote.asked)

    def hold(self) -> None:
        async def wait() -> None:
            await self.gate.wait()

        self.remote.before = wait


Make = Callable[..., Held]


@pytest.fixture
async def make(catalog: SqliteCatalog, clock: FixedClock) -> Make:
    """Makes an index over an upstream that answers as told."""
    specs = [UpstreamSpec.parse("http://upstream.example/")]
    feed = await catalog.write(lambda tx: tx.feeds.create(FeedName("team"), False, specs))
    number = feed.upstreams[0].id

    def made(*answers: Answer | Problem) -> Held:
        remote = FakeRemote(list(answers))
        return Held(Cached(remote, number, catalog, clock, Flights()), remote, clock)

    return made


async def test_a_fresh_page_is_not_asked_for_again(make: Make) -> None:
    held = make(page(), page(SECOND))
    assert [await held.files() for _ in range(5)] == [1] * 5
    held.clock.move(seconds=59)
    assert (await held.files(), held.asked) == (1, 1)
    held.clock.move(seconds=2)
    assert (await held.files(), held.asked) == (2, 2)


async def test_the_answer_holds_as_long_as_it_is_fresh(make: Make) -> None:
    held = make(page())
    for _ in range(2):
        basis = (await held.index.project(ACME)).basis
        assert basis.valid_until == held.clock() + timedelta(seconds=60)
        assert basis.revisions == ((keys.listing(held.index.id, ACME), 1),)


@pytest.mark.parametrize(
    ("max_age", "lifetime"),
    [
        (None, UNSAID),
        (0, SHORTEST),
        (1, SHORTEST),
        (60, timedelta(seconds=60)),
        (10**8, LONGEST),
    ],
)
async def test_how_long(make: Make, max_age: int | None, lifetime: timedelta) -> None:
    held = make(page(max_age=max_age))
    assert (await held.index.project(ACME)).basis.valid_until == held.clock() + lifetime


async def test_revalidation_sends_the_validators_and_keeps_the_page(make: Make) -> None:
    held = make(page(), UNCHANGED)
    await held.files()
    held.clock.move(seconds=61)
    project = await held.index.project(ACME)
    assert held.remote.asked == [(ACME, None), (ACME, ETAG)]
    assert len(project.files) == 1
    assert project.basis.valid_until == held.clock() + timedelta(seconds=60)
    assert project.basis.revisions == ((keys.listing(held.index.id, ACME), 1),)


async def test_a_stale_page_is_shown_while_the_upstream_fails(make: Make) -> None:
    held = make(page(), DOWN)
    await held.files()
    held.clock.move(hours=5)
    project = await held.index.project(ACME)
    assert len(project.files) == 1
    assert project.basis.valid_until == held.clock() + RESTING
    assert held.asked == 2


async def test_an_upstream_that_failed_is_left_alone_for_a_while(make: Make) -> None:
    held = make(page(), DOWN, page(SECOND))
    await held.files()
    held.clock.move(hours=5)
    assert [await held.files() for _ in range(3)] == [1, 1, 1]
    assert held.asked == 2
    held.clock.move(seconds=RESTING.total_seconds() + 1)
    assert (await held.files(), held.asked) == (2, 3)


async def test_without_a_page_a_failure_is_told_each_time(make: Make) -> None:
    held = make(DOWN, DOWN, page())
    for _ in range(2):
        with pytest.raises(Unavailable):
            await held.files()
    assert (await held.files(), held.asked) == (1, 3)


async def test_what_does_not_exist_is_remembered_for_a_short_while(make: Make) -> None:
    held = make(GONE, page())
    for _ in range(3):
        assert (await held.index.project(ACME)).absent == "no such project"
    assert held.asked == 1
    held.clock.move(seconds=ABSENT.total_seconds() + 1)
    assert (await held.files(), held.asked) == (1, 2)


async def test_a_page_that_is_gone_is_gone(make: Make) -> None:
    held = make(page(), GONE)
    await held.files()
    held.clock.move(seconds=61)
    assert (await held.index.project(ACME)).absent


async def test_however_many_ask_one_flight(make: Make) -> None:
    held = make(page())
    held.hold()
    asking = [asyncio.create_task(held.files()) for _ in range(50)]
    await asyncio.sleep(0.1)
    held.gate.set()
    assert await asyncio.gather(*asking) == [1] * 50
    assert held.asked == 1


async def test_a_failure_reaches_all_who_wait(make: Make) -> None:
    held = make(DOWN)
    held.hold()
    asking = [asyncio.create_task(held.files()) for _ in range(5)]
    await asyncio.sleep(0.1)
    held.gate.set()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(e, Unavailable) for e in found)
    assert held.asked == 1


async def test_names_fly_apart(make: Make) -> None:
    held = make(page(), page(a_project("other", a_file("other-1.tar.gz"))))
    assert (await held.files(), await held.files(OTHER), held.asked) == (1, 1, 2)


async def test_it_goes_on_when_the_first_asker_leaves(make: Make) -> None:
    held = make(page())
    held.hold()
    first = asyncio.create_task(held.files())
    await asyncio.sleep(0.1)
    second = asyncio.create_task(held.files())
    await asyncio.sleep(0.05)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    held.gate.set()
    assert await second == 1
    assert held.asked == 1


async def test_it_goes_on_when_everybody_leaves(make: Make) -> None:
    held = make(page(), DOWN)
    held.hold()
    asker = asyncio.create_task(held.files())
    await asyncio.sleep(0.1)
    asker.cancel()
    await asyncio.gather(asker, return_exceptions=True)
    held.gate.set()
    await asyncio.gather(*held.index.flights.running.values())
    assert (await held.files(), held.asked) == (1, 1)


async def test_a_slow_upstream_does_not_keep_those_with_a_page_waiting(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cached, "PATIENCE", 0.05)
    held = make(page(), page(SECOND))
    await held.files()
    held.clock.move(seconds=61)
    held.hold()
    assert await held.files() == 1, "the stale page, for now"
    held.gate.set()
    await asyncio.gather(*held.index.flights.running.values())
    assert (await held.files(), held.asked) == (2, 2)


async def test_another_process_s_page_is_used(make: Make, catalog: SqliteCatalog) -> None:
    first = make(page())
    await first.files()
    second = make(DOWN)
    assert (await second.files(), second.asked) == (1, 0)
