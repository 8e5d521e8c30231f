"""Whatever file is given: a runtime comes of it, or a sentence."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bonded.model.problems import BadInput
from bonded.model.runtimes import Runtime
from bonded.planning.runtimes import stored
from bonded.planning.runtimes.importing import Given, read

GIVEN = Given(name="r", source="test", python="3.11.8", platform="manylinux_2_35")
NAMES = st.sampled_from(
    "numpy NumPy num_py _mutex tzdata python-tzdata pyspark libx python a.b é".split()
)
VERSIONS = st.sampled_from("1 1.0 2024a 9e 1.0+x 3.5.1.5.4 2023.03 >=1 * x ".split(" "))
BUILDS = st.sampled_from(["", "=py311_0", "=h0", "=hd8ed1ab_0", "=*", " x y z"])
SEPARATORS = st.sampled_from(["=", "==", "===", ">=", " ", "", " @ file:///", "; "])
ENTRIES = st.tuples(NAMES, SEPARATORS, VERSIONS, BUILDS).map("".join)
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), NAMES, VERSIONS, ENTRIES
)
KEYS = st.sampled_from(
    "bonded-probe installed pip_version components dependencies pip name version metadata libc"
    " python Name Current fabricPython distributions environment channel build_string machine"
    " python_full_version operatingSystem requires extras requires_dist".split()
)
TREES = st.recursive(
    SCALARS, lambda t: st.one_of(st.lists(t, max_size=4), st.dictionaries(KEYS, t, max_size=4))
)


def taken(data: bytes) -> Runtime | None:
    with suppress(BadInput):
        return read(data, GIVEN)
    return None


def sound(found: Runtime | None) -> None:
    if found is not None:
        assert stored.read(stored.write(found), "it") == found
        names = [p.name for p in found.python_packages]
        assert len(set(names)) == len(names)
        assert set(names) <= found.owned_names


@given(st.binary())
def test_bytes(data: bytes) -> None:
    sound(taken(data))


@given(st.lists(ENTRIES))
def test_lines(lines: list[str]) -> None:
    sound(taken("\n".join(lines).encode()))


@given(st.lists(ENTRIES), st.lists(ENTRIES))
def test_environments(entries: list[str], pip: list[str]) -> None:
    document = {"dependencies": [*entries, {"pip": pip}]}
    sound(taken(json.dumps(document).encode()))


@given(TREES)
def test_json(tree: Any) -> None:
    sound(taken(json.dumps(tree).encode()))


@given(st.dictionaries(KEYS, TREES))
def test_documents(document: dict[str, Any]) -> None:
    sound(taken(json.dumps(document).encode()))
    sound(taken(json.dumps(document | {"bonded-probe": 1}).encode()))
    sound(taken(json.dumps(document | {"pip_version": "24"}).encode()))
