"""The runtimes that are shipped, kept, named and compared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.version import Version

from bonded.model.problems import BadInput, Conflict, Problem
from bonded.model.runtimes import Confidence, Nature, Origin, Runtime, target
from bonded.planning.runtimes import stored
from bonded.planning.runtimes.comparing import compare
from bonded.planning.runtimes.importing import Given, read, read_file
from bonded.planning.runtimes.library import FOLDER, Library, built_in, built_in_names
from bonded.planning.runtimes.making import make

LISTS = Path(__file__).parents[4] / "shared" / "data" / "runtimes"
with_lists = pytest.mark.skipif(
    not LISTS.is_dir(), reason="the platforms' own lists lie beside the checkout, and do not here"
)
SHIPPED = {
    "databricks-14.3": ("3.10.12", "manylinux_2_35_x86_64"),
    "databricks-15.4": ("3.11.11", "manylinux_2_35_x86_64"),
    "databricks-16.4": ("3.12.3", "manylinux_2_39_x86_64"),
    "databricks-17.3": ("3.12.3", "manylinux_2_39_x86_64"),
    "fabric-1.2": ("3.10.12", "manylinux_2_35_x86_64"),
    "fabric-1.3": ("3.11.8", "manylinux_2_35_x86_64"),
    "fabric-2.0": ("3.13.11", "manylinux_2_38_x86_64"),
}
shipped = pytest.mark.parametrize("name", SHIPPED)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "data")


def small(name: str = "mine", text: str = "six==1.16.0") -> Runtime:
    given = Given(name=name, source="test", python="3.11.8", platform="manylinux_2_35")
    return read(text.encode(), given)


def pins(runtime: Runtime) -> dict[str, str]:
    return {p.name: p.text for p in runtime.python_packages}


# Shipped


def test_what_is_shipped() -> None:
    assert set(built_in_names()) == set(SHIPPED)


@with_lists
def test_it_is_made_of_the_platforms_lists() -> None:
    made = {r.name: r for r in make(LISTS)}
    assert made.keys() == SHIPPED.keys()
    for name, runtime in made.items():
        assert stored.read(stored.write(runtime), name) == built_in(name), (
            "run python -m bonded.planning.runtimes.making FOLDER"
        )


@shipped
def test_the_shipped_ones_are_sound(name: str) -> None:
    found = built_in(name)
    assert found.name == name
    assert (str(found.python), str(found.platform)) == SHIPPED[name]
    distributions = [i for i in found.installed if i.nature is not Nature.NATIVE]
    assert len({i.name for i in distributions}) == len(distributions)
    assert all(i.version for i in distributions)
    assert len(found.python_packages) == len(distributions) > 70
    assert all(i.version is None for i in found.installed if i.nature is Nature.NATIVE)
    # Nobody has seen a session of it.
    assert Confidence.SURE not in {i.confidence for i in found.installed}
    assert any("bonded runtime probe" in w for w in found.warnings)


@pytest.mark.parametrize("name", ["fabric-1.2", "fabric-1.3", "fabric-2.0"])
def test_natives_of_fabric_are_no_distributions(name: str) -> None:
    found = built_in(name)
    natives = {i.name for i in found.installed if i.nature is Nature.NATIVE}
    assert {"openssl", "tzdata", "graphviz", "python", "_openmp_mutex"} <= natives
    assert "openssl" not in found.owned_names
    assert Version(pins(found)["tzdata"]) < Version("2026.4")
    assert "a" not in pins(found)["tzdata"]
    assert {"pyspark", "notebookutils", "pandas", "numpy"} <= pins(found).keys()


def test_the_quirks_of_the_shipped_lists() -> None:
    assert pins(built_in("fabric-1.2"))["typing-extensions"] == "4.8.0"
    assert pins(built_in("fabric-1.2"))["ruamel-yaml"] == "0.17.32"
    assert pins(built_in("fabric-1.3"))["kqlmagiccustom"] == "0.1.115+fabric.post26"
    assert pins(built_in("fabric-1.3"))["torch"] == "2.2.1"
    assert str(built_in("fabric-1.3").prefers) == "manylinux_2_28_x86_64"
    assert built_in("fabric-2.0").prefers is None


@pytest.mark.parametrize("name", [n for n in SHIPPED if n.startswith("databricks")])
def test_spark_of_databricks_is_the_platform_s(name: str) -> None:
    (spark,) = (i for i in built_in(name).installed if i.name == "pyspark")
    assert (spark.origin, spark.nature, spark.confidence) == (
        Origin.SYSTEM,
        Nature.PRIVATE,
        Confidence.GUESSED,
    )
    assert any("pyspark" in w for w in built_in(name).warnings)


@with_lists
def test_components_agree_with_the_environment() -> None:
    """They differ in five packages of Microsoft's own, as one is of an early release."""
    found = read_file(LISTS / "fabric-1.3.components.json", Given(name="components", source="test"))
    difference = compare(built_in("fabric-1.3"), found)
    assert {c.name for c in difference.changed} == {
        "flaml",
        "flt-python",
        "impulse-python-handler",
        "notebookutils",
        "spark-mssql-connector-fabric35",
    }
    assert (difference.added, difference.removed, difference.settings) == ((), (), ())


@with_lists
@pytest.mark.parametrize("name", ["fabric-1.2", "fabric-1.3", "fabric-2.0"])
def test_files_of_the_family_import_without_a_word_more(name: str) -> None:
    found = read_file(LISTS / f"{name}.yml", Given(name="mine", source="test"))
    assert found.installed == built_in(name).installed
    assert (found.python, found.platform) == (built_in(name).python, built_in(name).platform)


@with_lists
@pytest.mark.parametrize("name", ["fabric-1.2", "fabric-1.3", "fabric-2.0"])
def test_names_tell_as_much_as_builds(name: str) -> None:
    """The same environment as `conda env export --no-builds` would have it."""
    exported = (LISTS / f"{name}.yml").read_text()
    text = re.sub(r"(?m)^(  - [^=\n]+=[^=\n]+)=.*$", r"\1", exported)
    assert "=py3" not in text
    found = read(text.encode(), Given(name="mine", source="test"))
    difference = compare(built_in(name), found)
    assert (difference.added, difference.removed, difference.changed) == ((), (), ())


# Kept


@shipped
def test_the_format_loses_nothing(name: str) -> None:
    assert stored.read(stored.write(built_in(name)), name) == built_in(name)


def test_the_format_keeps_metadata() -> None:
    text = (
        '{"bonded-probe": 1, "python": "3.11.8", "distributions": [{"name": "a", "version": "1",'
        ' "requires": ["b; extra == \'ü\'"], "extras": ["ü"]}]}'
    )
    found = small(text=text)
    assert found.installed[0].extras == ("ü",)
    assert stored.read(stored.write(found), "it") == found
    assert stored.read(stored.write(target("python-3.12/manylinux_2_28")), "it").installed == ()


def test_saving_and_getting(library: Library) -> None:
    assert library.names() == built_in_names()
    assert not library.data.exists()
    assert library.save(small()) is False
    assert library.get("mine") == small()
    assert library.save(small(text="six==2")) is True
    assert pins(library.get("mine")) == {"six": "2"}
    assert library.imported() == ("mine",)
    assert set(library.names()) == {*SHIPPED, "mine"}
    assert [p.name for p in (library.data / FOLDER).iterdir()] == ["mine.json"]


def test_a_shipped_name_is_shadowed_only_by_force(library: Library) -> None:
    with pytest.raises(Conflict, match="that Bonded ships"):
        library.save(small("fabric-1.3"))
    assert not library.data.exists()
    library.save(small("fabric-1.3"), force=True)
    assert pins(library.get("fabric-1.3")) == {"six": "1.16.0"}
    (library.data / FOLDER / "fabric-1.3.json").unlink()
    assert library.get("fabric-1.3") == built_in("fabric-1.3")


@pytest.mark.parametrize(
    "name", ["", "A", "../x", "a/b", ".a", "-a", "a b", "a\n", "ä", "a" * 64, "a."]
)
def test_names_that_are_none(library: Library, name: str) -> None:
    with pytest.raises(BadInput, match="cannot be the name of a runtime"):
        small(name)


def test_a_name_that_is_not_there(library: Library) -> None:
    with pytest.raises(BadInput) as refused:
        library.get("fabric-1.4")
    assert "Did you mean fabric-" in (refused.value.hint or "")
    with pytest.raises(BadInput) as refused:
        library.get("zzzzzzzz")
    assert "databricks-14.3" in (refused.value.hint or "")
    library.save(small())
    for name in ("../runtimes/mine", "mine.json", ""):
        with pytest.raises(BadInput):
            library.get(name)


def test_targets_are_runtimes(library: Library) -> None:
    assert library.get("python-3.12/manylinux_2_28/x86_64").installed == ()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"bonded-runtime": 1}', '{"bonded-runtime": 2}'])
def test_a_damaged_file_is_told(library: Library, text: str) -> None:
    library.save(small())
    (library.data / FOLDER / "mine.json").write_text(text)
    with pytest.raises(Problem, match=r"mine\.json (is damaged|was written by a newer)"):
        library.get("mine")


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(BadInput, match="cannot be the data folder"):
        Library(tmp_path / "data").save(small())


# Compared


def test_what_changes() -> None:
    a = small(text="same==1.0\nold==1\nmoved==1")
    b = small(text="same==1\nnew==1\nmoved==2")
    found = compare(a, b)
    assert found.settings == ()
    assert [(c.name, c.before, c.after) for c in (*found.added, *found.removed)] == [
        ("new", None, "1"),
        ("old", "1", None),
    ]
    assert [(c.name, c.before, c.after) for c in found.changed] == [("moved", "1", "2")]


def test_settings_that_change() -> None:
    found = compare(built_in("fabric-1.3"), built_in("fabric-2.0"))
    assert found.settings == (
        ("python", "3.11.8", "3.13.11"),
        ("platform", "manylinux_2_35_x86_64", "manylinux_2_38_x86_64"),
    )
    assert "openssl" not in {c.name for c in (*found.added, *found.removed, *found.changed)}
