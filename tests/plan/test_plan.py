"""Plans, by the command, from a local index and for a small runtime."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.dists import sdist, wheel
from support.serving import Bonded, basic
from support.upstream import Upstream, running

#: What the toy runtime has. `forked` has a version that is on no index, as platforms' forks do.
PINS = "packaging==23.1\nnumpy==1.26.4\npandas==2.1.4\nforked==3.5.1.5.4\n"


@pytest.fixture
def planner(bonded: Bonded, tmp_path: Path) -> Bonded:
    """The command, with the runtime `toy` imported."""
    pins = tmp_path / "pins.txt"
    pins.write_text(PINS)
    options = ("--name", "toy", "--python", "3.11.8", "--platform", "manylinux_2_35")
    bonded.run("runtime", "import", pins, *options)
    return bonded


@pytest.fixture
def index() -> Iterator[Upstream]:
    with running(Upstream()) as upstream:
        upstream.add(
            wheel("numpy", "2.0"),
            wheel("pandas", "2.2", requires=("numpy>=2",)),
            wheel("packaging", "26.0"),
            wheel("tool", "1.0", requires=("pandas", "helper; python_version >= '3.11'")),
            wheel("helper", "1.0"),
            wheel("helper", "2.0", requires=("packaging>=24",)),
            wheel("deep", "1.0"),
            wheel("deep", "2.0", requires=("between",)),
            wheel("between", "1.0", requires=("packaging>=24",)),
            wheel("onfork", "1.0", requires=("forked==3.5.1.5.4",)),
            wheel("needs-new", "1.0", requires=("pandas>=2.2",)),
            sdist("sourced", "2.0"),
            wheel("windows", "1.0", tag="cp311-cp311-win_amd64"),
            wheel("later", "1.0", python=">=3.12"),
        )
        yield upstream


def plan(bonded: Bonded, index: Upstream, *asked: str, code: int = 0) -> Any:
    import json

    line = ("plan", *asked, "--runtime", "toy", "--index", index.url, "--json")
    return json.loads(bonded.run(*line, code=code).stdout)


def names(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["name"]: row["version"] for row in rows}


def test_exactly_what_is_lacking(planner: Bonded, index: Upstream) -> None:
    found = plan(planner, index, "tool")
    assert names(found["extras"]) == {"tool": "1.0", "helper": "1.0"}
    assert names(found["satisfied"]) == {"pandas": "2.1.4"}
    by = {e["name"]: e["wanted_by"] for e in found["extras"]}
    assert by == {"tool": ["you"], "helper": ["tool"]}
    wheels = {d.filename: d for d in index.dists}
    for extra in found["extras"]:
        assert extra["sha256"] == wheels[extra["filename"]].sha256
        assert extra["size"] == len(wheels[extra["filename"]].body)


def test_what_the_runtime_has_is_never_asked_of_the_index(planner: Bonded, index: Upstream) -> None:
    plan(planner, index, "tool", "onfork")
    for name in ("pandas", "numpy", "packaging", "forked"):
        assert index.asked(f"/simple/{name}/") == [], name
    assert index.asked("/simple/tool/") == ["GET /simple/tool/"]
    assert [ln for ln in index.asked("/files/") if not ln.endswith(".metadata")] == []


def test_nothing_is_lacking(planner: Bonded, index: Upstream) -> None:
    found = plan(planner, index, "pandas>=2")
    assert found["extras"] == []
    assert index.log == []


def test_held_back_by_a_pin_and_by_one_further_on(planner: Bonded, index: Upstream) -> None:
    held = {h["name"]: h for h in plan(planner, index, "tool", "deep")["held_back"]}
    assert held["helper"]["newest"] == "2.0"
    assert held["helper"]["pins"] == ["packaging==23.1"]
    assert held["deep"]["pins"] == ["packaging==23.1"]
    assert held["deep"]["needs"] == ["deep 2.0 needs between", "between 1.0 needs packaging>=24"]
    assert plan(planner, index, "helper<2")["held_back"] == []
    said = planner.run("plan", "helper", "--runtime", "toy", "--index", index.url).stderr
    assert "held back: helper 1.0, where 2.0 is there: the runtime has packaging==23.1" in said


def test_a_conflict_names_the_smallest_set_to_override(planner: Bonded, index: Upstream) -> None:
    found = plan(planner, index, "needs-new", code=1)
    assert found["extras"] == []
    clash = {c["name"]: c for c in found["conflicts"]}
    assert clash["pandas"]["requirement"] == "pandas>=2.2"
    assert clash["pandas"]["wanted_by"] == "needs-new 1.0"
    assert clash["pandas"]["pinned"] == "2.1.4"
    assert names(found["overrides"]) == {"numpy": "2.0", "pandas": "2.2"}
    assert found["smallest"]
    allowed = ("--allow-override", "pandas", "--allow-override", "numpy")
    solved = plan(planner, index, "needs-new", *allowed)
    assert names(solved["extras"]) == {"needs-new": "1.0", "numpy": "2.0", "pandas": "2.2"}
    assert names(solved["overrides"]) == {"numpy": "2.0", "pandas": "2.2"}
    index.add(wheel("pandas", "2.3"))
    assert names(plan(planner, index, "needs-new", code=1)["overrides"]) == {"pandas": "2.3"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("sourced", "source only (newest 2.0)"),
        ("windows", "no wheel of it"),
        ("later", "Python >=3.12"),
        ("absent", "no project absent"),
        ("helper>=9", "no version meets >=9"),
    ],
)
def test_no_solution_is_told_in_a_line(
    planner: Bonded, index: Upstream, asked: str, said: str
) -> None:
    found = plan(planner, index, asked, code=1)
    (reason,) = found["reasons"]
    assert said in reason


def test_as_of_a_date(planner: Bonded, index: Upstream) -> None:
    index.uploaded = "2024-03-01T12:00:00Z"
    assert plan(planner, index, "tool", "--exclude-newer", "2024-03-02")["solved"]
    found = plan(planner, index, "tool", "--exclude-newer", "2024-03-01", code=1)
    assert not found["solved"]


def test_plain_html_without_sizes_hashes_or_metadata(planner: Bonded, index: Upstream) -> None:
    index.form, index.sizes, index.metadata = "html", False, False
    found = plan(planner, index, "tool")
    assert names(found["extras"]) == {"tool": "1.0", "helper": "1.0"}
    assert all(e["size"] for e in found["extras"])
    assert all("bytes=" in line for line in index.asked("/files/"))


def test_extras_of_what_is_preinstalled_are_warned_of(planner: Bonded, index: Upstream) -> None:
    found = plan(planner, index, "pandas[excel]")
    assert any("pandas[excel]" in w for w in found["warnings"])


def test_from_feeds_of_the_data_folder(planner: Bonded, index: Upstream, tmp_path: Path) -> None:
    planner.run("feed", "create", "team", "--upstream", index.url)
    planner.run("upload", "--feed", "team", wheel("mine", requires=("tool",)).write(tmp_path))
    planner.run("claim", "add", "--feed", "team", "helper")
    line = ("plan", "mine", "--runtime", "toy", "--feed", "team", "--json")
    planner.run(*line, code=1)
    assert index.asked("/simple/mine/") == index.asked("/simple/helper/") == []
    planner.run("claim", "remove", "--feed", "team", "helper")
    found = planner.json("plan", "mine", "--runtime", "toy", "--feed", "team")
    assert set(names(found["extras"])) == {"mine", "tool", "helper"}


def test_credentials_are_used_and_not_shown(planner: Bonded) -> None:
    with running(Upstream([wheel("secret-tool")], user=("me", "s3cret-value"))) as index:
        url = index.url.replace("http://", "http://me:env:CORP@")
        planner.environment["CORP"] = "s3cret-value"
        done = planner.run("plan", "secret-tool", "--runtime", "toy", "--index", url)
        assert "secret-tool" in done.stdout
        assert index.authorizations[0] == basic("s3cret-value", "me")
        assert "s3cret-value" not in done.stdout + done.stderr


def test_an_index_that_cannot_be_reached_is_3(planner: Bonded, index: Upstream) -> None:
    index.mode = "500"
    done = planner.run("plan", "tool", "--runtime", "toy", "--index", index.url, code=3)
    assert "HTTP 500" in done.stderr
    gone = "http://127.0.0.1:9/simple/"
    planner.run("plan", "tool", "--runtime", "toy", "--index", gone, code=3)


@pytest.mark.parametrize(
    "line",
    [
        ("plan", "--runtime", "toy"),
        ("plan", "tool"),
        ("plan", "tool", "--runtime", "nothing"),
        ("plan", "to ol", "--runtime", "toy"),
        ("plan", "tool @ https://example.test/tool.whl", "--runtime", "toy"),
        ("plan", "-r", "missing.txt", "--runtime", "toy"),
        ("plan", "tool", "--runtime", "toy", "--exclude-newer", "soon"),
        ("plan", "tool", "--runtime", "toy", "--index", "ftp://x"),
    ],
)
def test_bad_input_is_2(planner: Bonded, line: tuple[str, ...]) -> None:
    assert planner.run(*line, code=2).stderr.startswith("error: ")


def test_requirement_files(planner: Bonded, index: Upstream, tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("deep<2\r\n")
    asked = tmp_path / "asked.txt"
    asked.write_text(
        "\ufefftool  # what we need\r\n\r\n-r more.txt\nhelper; sys_platform == 'win32'\n"
    )
    found = plan(planner, index, "-r", str(asked))
    assert names(found["extras"]) == {"tool": "1.0", "helper": "1.0", "deep": "1.0"}
    asked.write_text("--index-url https://example.test\ntool\n")
    planner.run("plan", "-r", asked, "--runtime", "toy", code=2)


def test_plain_targets_have_nothing(planner: Bonded, index: Upstream) -> None:
    import json

    line = ("--runtime", "python-3.12/manylinux_2_28/x86_64", "--index", index.url, "--json")
    found = json.loads(planner.run("plan", "needs-new", "later", *line).stdout)
    assert set(names(found["extras"])) == {"needs-new", "pandas", "numpy", "later"}
