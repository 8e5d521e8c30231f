"""uv and pip resolve from METADATA alone: no wheel is sent before it is to be installed."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest

from support.clients.installers import UVS, Installer
from support.clients.machine import Machine
from support.clients.place import Place, placed
from support.dists import Dist, wheel
from support.upstream import Upstream, running


def heavy(name: str, version: str = "1.0", requires: tuple[str, ...] = ()) -> Dist:
    """A wheel of some megabytes, as nobody wants it for its metadata alone."""
    weight = random.Random(name).randbytes(3 << 20)
    return wheel(name, version, requires=requires, extra={"weight.bin": weight}, stored=True)


APP = heavy("acme-heavy", requires=("dep-heavy",))
LEAF = heavy("dep-heavy", "2.0", requires=("dep-leaf",))
LAST = heavy("dep-leaf", "0.1")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with placed(tmp_path_factory.mktemp("metadata")) as place:
        yield place


def resolve(place: Place, machine: Machine, client: str, feed: str, name: str) -> list[str]:
    """What a client asks the server while it resolves a name; it must find all of it."""
    (machine.home / "in.txt").write_text(name)
    start = place.log_length()
    options = ("--index-url", place.index(feed), "-q", "--no-annotate", "--no-header")
    done = machine.run(client, "pip", "compile", *options, "in.txt").succeeded()
    assert "dep-heavy==2.0" in done.output
    return place.log_since(start)


def bodies(log: list[str], dist: Dist) -> list[str]:
    """The requests for a wheel itself."""
    return [line for line in log if f"/{dist.filename} " in line]


@pytest.mark.parametrize("client", UVS)
def test_a_hosted_wheel_is_resolved_by_its_metadata_file(
    place: Place, machine: Machine, client: str
) -> None:
    feed = f"hosted-{client}"
    place.feed(feed)
    place.upload(feed, APP, LEAF, LAST)
    log = resolve(place, machine, client, feed, "acme-heavy")
    for dist in (APP, LEAF, LAST):
        path = f"/{feed}/files/{dist.project}/{dist.filename}.metadata"
        assert f"GET {path} 200" in log
        assert bodies(log, dist) == []


def test_pip_asks_for_the_metadata_file_before_the_wheel(place: Place, machine: Machine) -> None:
    place.feed("hosted-pip")
    place.upload("hosted-pip", APP, LEAF, LAST)
    start = place.log_length()
    Installer("pip", machine).install(place.index("hosted-pip"), "acme-heavy").succeeded()
    asked = [line.split()[1].rpartition("/")[2] for line in place.log_since(start)]
    for dist in (APP, LEAF, LAST):
        assert asked.index(f"{dist.filename}.metadata") < asked.index(dist.filename)


@pytest.mark.parametrize("client", UVS)
def test_an_upstreams_metadata_file_is_passed_on_without_its_wheel(
    place: Place, machine: Machine, client: str
) -> None:
    feed = f"vouched-{client}"
    with running(Upstream([LEAF, LAST])) as upstream:
        place.feed(feed, upstream.url)
        log = resolve(place, machine, client, feed, "dep-heavy")
        assert bodies(log, LEAF) == []
        assert [line for line in upstream.log if line.endswith(".whl")] == []


@pytest.mark.parametrize("client", UVS)
@pytest.mark.parametrize("form", ["json", "html"])
def test_without_metadata_upstream_uv_resolves_by_ranges_once(
    place: Place, machine: Machine, client: str, form: str
) -> None:
    feed = f"ranges-{form}-{client}"
    sizes = form == "json"
    with running(Upstream([LEAF, LAST], form=form, metadata=False, sizes=sizes)) as upstream:
        place.feed(feed, upstream.url)
        assert "core-metadata" not in place.page(feed, "dep-heavy")[LEAF.filename]
        first = resolve(place, machine, client, feed, "dep-heavy")
        assert any(line.endswith(" 206") for line in bodies(first, LEAF))
        assert whole(upstream) == []
        advertised(place, feed, LEAF)
        advertised(place, feed, LAST)
        again = resolve(place, Machine(machine.home / "again"), client, feed, "dep-heavy")
        assert bodies(again, LEAF) == []
        assert f"GET /{feed}/files/dep-heavy/{LEAF.filename}.metadata 200" in again
        assert whole(upstream) == []


def whole(upstream: Upstream) -> list[str]:
    """The requests for a wheel that were not for a range of it."""
    return [line for line in upstream.log if line.endswith(".whl")]


def advertised(place: Place, feed: str, dist: Dist) -> None:
    """The page comes to say that there is a METADATA file; it is found in the background."""
    end = time.monotonic() + 20
    while not place.page(feed, dist.project)[dist.filename].get("core-metadata"):
        assert time.monotonic() < end, "the page does not advertise METADATA"
        time.sleep(0.05)
    path = f"/{feed}/files/{dist.project}/{dist.filename}.metadata"
    assert place.server.get(path, place.token(feed)).body == dist.metadata


@pytest.mark.parametrize("client", UVS)
def test_an_upstream_that_knows_neither_metadata_nor_ranges(
    place: Place, machine: Machine, client: str
) -> None:
    feed = f"neither-{client}"
    with running(Upstream([LEAF, LAST], form="html", metadata=False, ranges=False)) as upstream:
        place.feed(feed, upstream.url)
        resolve(place, machine, client, feed, "dep-heavy")
        Installer(client, machine).install(place.index(feed), "dep-heavy").succeeded()
        advertised(place, feed, LEAF)
        assert len([line for line in whole(upstream) if line.startswith("GET")]) <= 2 * 2
