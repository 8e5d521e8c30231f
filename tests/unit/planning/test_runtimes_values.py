"""Platforms, their tags and markers, and plain targets."""

from __future__ import annotations

import sys

import pytest
from packaging import tags as machine
from packaging.markers import Marker, default_environment
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from bonded.model.problems import BadInput
from bonded.model.runtimes import (
    Confidence,
    Installed,
    Nature,
    Origin,
    Platform,
    Runtime,
    python_version,
    target,
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("manylinux_2_28_x86_64", "manylinux_2_28_x86_64"),
        ("manylinux_2_28/x86_64", "manylinux_2_28_x86_64"),
        ("manylinux_2_28", "manylinux_2_28_x86_64"),
        ("manylinux_2_35/aarch64", "manylinux_2_35_aarch64"),
        ("manylinux_2_35_arm64", "manylinux_2_35_aarch64"),
        ("manylinux2014", "manylinux_2_17_x86_64"),
        ("manylinux2014_aarch64", "manylinux_2_17_aarch64"),
        ("manylinux2014/aarch64", "manylinux_2_17_aarch64"),
        ("manylinux2010_x86_64", "manylinux_2_12_x86_64"),
        ("manylinux1", "manylinux_2_5_x86_64"),
        ("musllinux_1_2_aarch64", "musllinux_1_2_aarch64"),
        (" MANYLINUX_2_28/X86_64 ", "manylinux_2_28_x86_64"),
    ],
)
def test_platforms_are_read(text: str, said: str) -> None:
    assert str(Platform.parse(text)) == said
    assert Platform.parse(said) == Platform.parse(text)


@pytest.mark.parametrize(
    "text",
    "linux_x86_64 manylinux manylinux_2 manylinux_3_1 musllinux_2_1 manylinux_2_28_vax win_amd64"
    " manylinux2020 manylinux_2_28_ manylinux_2_28_x86_64_x manylinux_2_²8".split(),
)
def test_other_platforms_are_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(BadInput, match="not a platform that wheels are made for") as refused:
        Platform.parse(text)
    assert "manylinux_2_28_x86_64" in (refused.value.hint or "")


def test_the_architecture_of_a_file_is_taken_where_none_is_named() -> None:
    assert Platform.parse("manylinux_2_28", "aarch64").arch == "aarch64"
    assert Platform.parse("manylinux_2_28_x86_64", "aarch64").arch == "x86_64"


def runtime(python: str, platform: str, prefers: str | None = None) -> Runtime:
    return Runtime(
        name="r",
        title="r",
        python=Version(python),
        platform=Platform.parse(platform),
        prefers=Platform.parse(prefers) if prefers else None,
        source="test",
    )


@pytest.mark.skipif(
    not machine.platform_tags or sys.platform != "linux" or sys.implementation.name != "cpython",
    reason="the tags of this machine are compared, which are those of Linux and CPython",
)
def test_tags_are_those_pip_would_have_here() -> None:
    here = [str(t) for t in machine.sys_tags() if "-linux_" not in str(t)]
    newest = next(
        t.platform for t in machine.sys_tags() if "linux_2" in t.platform or "_1_" in t.platform
    )
    version = ".".join(map(str, sys.version_info[:3]))
    assert [str(t) for t in runtime(version, newest).tags()] == here


def test_markers_are_those_this_python_would_have() -> None:
    found = runtime("3.11.8", "manylinux_2_35_aarch64").environment()
    assert found.keys() == default_environment().keys()
    said = {
        "python_full_version == '3.11.8'",
        "python_version == '3.11'",
        "platform_machine == 'aarch64'",
        "sys_platform == 'linux' and os_name == 'posix' and platform_system == 'Linux'",
        "implementation_name == 'cpython' and platform_python_implementation == 'CPython'",
        "implementation_version == '3.11.8'",
        "platform_release == '' and platform_version == ''",
    }
    assert [m for m in said if not Marker(m).evaluate(dict(found))] == []


def test_a_release_candidate_is_before_its_release() -> None:
    found = runtime("3.11.0rc1", "manylinux_2_35").environment()
    assert not Marker("python_full_version >= '3.11'").evaluate(dict(found))
    assert Marker("python_version >= '3.11'").evaluate(dict(found))


@pytest.mark.parametrize(
    ("wheel", "runs"),
    [
        ("a-1-cp311-cp311-manylinux_2_28_x86_64.whl", True),
        ("a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", True),
        ("a-1-cp311-cp311-manylinux1_x86_64.whl", True),
        ("a-1-cp38-abi3-manylinux2014_x86_64.whl", True),
        ("a-1-cp32-abi3-manylinux2014_x86_64.whl", True),
        ("a-1-py2.py3-none-any.whl", True),
        ("a-1-py3-none-manylinux_2_28_x86_64.whl", True),
        ("a-1-cp311-cp311-manylinux_2_29_x86_64.whl", False),
        ("a-1-cp311-cp311-manylinux_2_28_aarch64.whl", False),
        ("a-1-cp311-cp311-musllinux_1_2_x86_64.whl", False),
        ("a-1-cp311-cp311-linux_x86_64.whl", False),
        ("a-1-cp310-cp310-manylinux_2_28_x86_64.whl", False),
        ("a-1-cp312-abi3-manylinux_2_28_x86_64.whl", False),
        ("a-1-cp38-cp38-any.whl", False),
        ("a-1-py312-none-any.whl", False),
    ],
)
def test_wheels_that_run_are_told_from_the_rest(wheel: str, runs: bool) -> None:
    tags = set(runtime("3.11.8", "manylinux_2_28_x86_64").tags())
    assert bool(parse_wheel_filename(wheel)[3] & tags) is runs


def test_preferred_platforms_come_first_and_the_others_stay() -> None:
    plain = runtime("3.11.8", "manylinux_2_35").tags()
    found = runtime("3.11.8", "manylinux_2_35", "manylinux_2_28").tags()
    assert set(found) == set(plain)
    assert len(found) == len(plain)
    platforms = [t.platform for t in found if str(t).startswith("cp311-cp311-")]
    assert platforms[0] == "manylinux_2_28_x86_64"
    assert platforms.index("manylinux1_x86_64") < platforms.index("manylinux_2_35_x86_64")


@pytest.mark.parametrize(
    ("text", "python", "platform"),
    [
        ("python-3.12/manylinux_2_28/x86_64", "3.12.0", "manylinux_2_28_x86_64"),
        ("python-3.11.8/manylinux_2_35", "3.11.8", "manylinux_2_35_x86_64"),
        ("python-3.12/manylinux_2_28/aarch64", "3.12.0", "manylinux_2_28_aarch64"),
        ("python-3.10/manylinux2014_aarch64", "3.10.0", "manylinux_2_17_aarch64"),
        ("python-3.13.1/musllinux_1_2/x86_64", "3.13.1", "musllinux_1_2_x86_64"),
    ],
)
def test_targets(text: str, python: str, platform: str) -> None:
    found = target(text)
    assert (str(found.python), str(found.platform)) == (python, platform)
    assert found.installed == ()
    assert bool(found.warnings) is (text.count(".") == 1)
    assert target(found.name).tags() == found.tags()


@pytest.mark.parametrize(
    "text",
    ["python-3.12", "python/manylinux_2_28", "ruby-3/manylinux_2_28", "python-3.12/windows", "a/b"],
)
def test_other_targets_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        target(text)


@pytest.mark.parametrize(
    "text", ["3", "2.7.18", "3.11.8.1", "3.12.3+", "x", "4.0", "3.11+local", ""]
)
def test_other_pythons_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="not the version of a Python"):
        python_version(text)


def test_pythons_are_made_full() -> None:
    said = {"3.11": "3.11.0", "3.11.8": "3.11.8", "3.11.0rc1": "3.11.0rc1", "3.14b2": "3.14.0b2"}
    assert {k: str(python_version(k)) for k in said} == said


def test_what_a_resolver_is_told_of() -> None:
    def package(name: str, version: str | None, nature: Nature) -> Installed:
        return Installed(
            name=canonicalize_name(name),
            text=version or "",
            version=Version(version) if version else None,
            origin=Origin.CONDA,
            nature=nature,
            confidence=Confidence.LIKELY,
        )

    found = Runtime(
        name="r",
        title="r",
        python=Version("3.11.8"),
        platform=Platform.parse("manylinux_2_28"),
        installed=(
            package("openssl", None, Nature.NATIVE),
            package("tzdata", "2023.3", Nature.PYTHON),
            package("notebookutils", "1", Nature.PRIVATE),
            package("unsaid", None, Nature.PYTHON),
        ),
        source="test",
    )
    assert [p.name for p in found.python_packages] == ["tzdata", "notebookutils"]
    # What is there in an unknown version is still not to be had from an index.
    assert found.owned_names == {"tzdata", "notebookutils", "unsaid"}
