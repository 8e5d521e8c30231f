"""Conda environments and Components.json, with every quirk that was seen in real ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bonded.model.problems import BadInput
from bonded.model.runtimes import Confidence, Installed, Nature, Origin, Runtime
from bonded.planning.runtimes.importing import Given, read

FABRIC = """\
channels:
  - defaults
dependencies:
  - _libgcc_mutex=0.1=main
  - _py-xgboost-mutex=2.0=cpu_0
  - jpeg=9e=h5eee18b_1
  - python=3.11.8=h955ad1f_0
  - pandas=2.1.4=py311ha02d727_0
"""


def imported(text: str | bytes, **given: Any) -> Runtime:
    data = text if isinstance(text, bytes) else text.encode()
    given = {"platform": "manylinux_2_35"} | given
    return read(data, Given(name="r", source="test", **given))


def environment(*entries: str, pip: tuple[str, ...] = (), **given: Any) -> Runtime:
    lines = ["dependencies:", "  - python=3.11.8=h955ad1f_0", *(f"  - {e}" for e in entries)]
    if pip:
        lines += ["  - pip:", *(f"      - {p}" for p in pip)]
    return imported("\n".join(lines), **given)


def named(runtime: Runtime, name: str) -> Installed:
    (found,) = (i for i in runtime.installed if i.name == name and i.nature is not Nature.NATIVE)
    return found


def python_names(runtime: Runtime) -> set[str]:
    return {p.name for p in runtime.python_packages}


def native_names(runtime: Runtime) -> set[str]:
    return {p.name for p in runtime.installed if p.nature is Nature.NATIVE}


# Files


def test_an_environment_says_its_python() -> None:
    found = imported(FABRIC)
    assert (str(found.python), str(found.platform)) == ("3.11.8", "manylinux_2_35_x86_64")
    pandas = named(found, "pandas")
    assert (str(pandas.version), pandas.origin, pandas.nature, pandas.confidence) == (
        "2.1.4",
        Origin.CONDA,
        Nature.PYTHON,
        Confidence.LIKELY,
    )
    assert python_names(found) == {"pandas"}


@pytest.mark.parametrize(
    "data",
    [
        FABRIC.rstrip("\n").encode(),
        FABRIC.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + FABRIC.encode(),
        FABRIC.replace("\n", "\r\n").encode("utf-16"),
        ("# made by hand\n\n---\n" + FABRIC.replace("  - ", "- ")).encode(),
        ("name: x\nprefix: /opt/x\nvariables:\n  A: 1\n" + FABRIC + "# [linux]\n").encode(),
        json.dumps(
            {"name": "x", "dependencies": [line[4:] for line in FABRIC.splitlines()[3:]]}
        ).encode(),
    ],
    ids="no-last-newline crlf bom utf-16 no-indent more-keys json".split(),
)
def test_it_is_the_same_however_it_is_written(data: bytes) -> None:
    assert imported(data).installed == imported(FABRIC).installed


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"dependencies: [",
        b"dependencies: 3",
        b"dependencies:\n  - '!!'\n",
        b"channels: []\ndependencies: []\n",
        b"- a\ndependencies: b\n",
        b'{"components": {"Rlibraries": [{"Name": "MASS", "Current": "7.3"}]}}',
        b'{"components": 3}',
        b'{"something": "else"}',
        b"[1, 2]",
        b"[" * 100_000,
        b'{"dependencies": ' * 50_000,
    ],
)
def test_other_files_are_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        imported(data, python="3.11.8")
    assert refused.value.message.endswith(".")


def test_the_platform_has_to_be_said_if_nothing_tells() -> None:
    with pytest.raises(BadInput, match="does not say which platform") as refused:
        imported(FABRIC, platform=None)
    assert "--platform" in (refused.value.hint or "")


@pytest.mark.parametrize(("spark", "level"), [("3.5.1.5.4.1", "_2_35_"), ("4.1.1.5.5.2", "_2_38_")])
def test_that_of_fabric_is_known_by_its_own_packages(spark: str, level: str) -> None:
    own = (f"pyspark=={spark}", "fabric-connection==0.2.0")
    found = environment(pip=own, platform=None)
    assert level in str(found.platform)
    assert any("taken as manylinux" in w for w in found.warnings)
    with pytest.raises(BadInput, match="platform"):
        environment(pip=own[:1], platform=None)


def test_a_python_without_a_patch_level_is_told() -> None:
    found = imported("dependencies:\n  - python=3.10\n  - numpy=1.26.4\n")
    assert str(found.python) == "3.10.0"
    assert any("patch level" in w for w in found.warnings)
    given = imported("dependencies:\n  - python=3.10\n  - numpy=1.26.4\n", python="3.10.14")
    assert str(given.python) == "3.10.14"
    assert not given.warnings


def test_a_python_that_is_not_said_is_asked_for() -> None:
    for line in ("numpy=1.26.4", "python", "python>=3.9", "python=3.11.*"):
        with pytest.raises(BadInput, match="which Python"):
            imported(f"dependencies:\n  - {line}\n")


# Entries


@pytest.mark.parametrize(
    "entry",
    [
        "numpy=1.26.4=py311h08b1b3b_0",
        "conda-forge::numpy=1.26.4=py311h08b1b3b_0",
        "defaults/linux-64::numpy=1.26.4",
        "numpy==1.26.4",
        "numpy=1.26.4",
        "numpy 1.26.4 py311h08b1b3b_0",
        "numpy = 1.26.4",
        "NumPy=1.26.4",
        "numpy[build=py311h08b1b3b_0]==1.26.4",
    ],
)
def test_entries_are_read_in_every_spelling(entry: str) -> None:
    assert str(named(environment(entry), "numpy").version) == "1.26.4"


@pytest.mark.parametrize(
    "entry", ["numpy", "numpy>=1.20", "numpy=1.26.*", "numpy>=1.2,<2", "numpy 1.20|1.21", "numpy<2"]
)
def test_a_range_is_no_version(entry: str) -> None:
    found = environment(entry)
    assert named(found, "numpy").version is None
    assert "numpy" in found.owned_names
    assert any("No version is said for numpy" in w for w in found.warnings)


@pytest.mark.parametrize(
    "entry",
    """_libgcc_mutex=0.1=main _openmp_mutex=5.1=1_gnu _py-xgboost-mutex=2.0=cpu_0
    _sysroot_linux-64_curr_repodata_hack=3=haa98f57_10 jpeg=9e=h5eee18b_1 openssl=3.0.13=h7f8727e_0
    tzdata=2024a=h04d1e81_0 tzdata=2024a graphviz=2.50.0=h1b29801_1 attr=2.5.1=h166bdaf_1 attr=2.5.1
    brotli=1.0.9=h5eee18b_7 snappy=1.1.10 lerc=3.0 mpc=1.1.0 tk=8.6.12 xz=5.4.6 yaml=0.2.5
    patch=2.7.6 make=4.2.1 mysql=5.7.24 orc=1.7.4 libclang=14.0.6=default_hc6dbbc7_1 cmake=3.26.4
    ninja=1.10.2=h06a4308_5 cpython=3.13.14=py313hd8ed1ab_100 python-gil=3.13.14=h4df99d1_100
    python_abi=3.10=4_cp310 gobject-introspection=1.78.1=py311h42194e9_1 zope=1.0=py311h06a4308_1
    backports=1.1=pyhd3eb1b0_0 sphinxcontrib=1.0=py311h06a4308_1 pytorch-mutex=1.0=cpu
    ruamel_yaml=0.17.21=py311h5eee18b_0 uvicorn-standard=0.51.0=h28ae30b_0 xorg-libx11=1.8.7
    some-library-nobody-knows=1.2=h0123456_0""".split(),
)
def test_what_is_no_distribution_is_never_given_to_a_resolver(entry: str) -> None:
    found = environment(entry)
    assert python_names(found) == set()
    assert entry.partition("=")[0] in native_names(found)
    assert found.owned_names == set()


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("pytorch=2.2.1=py3.11_cpu_0", "torch"),
        ("py-xgboost=2.0.3=py311h06a4308_0", "xgboost"),
        ("matplotlib-base=3.8.0=py311ha02d727_0", "matplotlib"),
        ("msgpack-python=1.0.3=py311hdb19cb5_0", "msgpack"),
        ("python-tzdata=2023.3=pyhd3eb1b0_0", "tzdata"),
        ("python-graphviz=0.20.1=py311h06a4308_0", "graphviz"),
        ("brotli-python=1.0.9=py311h6a678d5_7", "brotli"),
        ("nbconvert-core=7.9.2=pyhd8ed1ab_0", "nbconvert"),
        ("python-xxhash=2.0.2=py311h5eee18b_1", "xxhash"),
        ("seaborn-base=0.12.2=pyhd8ed1ab_0", "seaborn"),
        ("pytables=3.9.2=py311h9d13977_0", "tables"),
        ("python-lmdb=1.4.1=py311h6a678d5_0", "lmdb"),
        ("docker-py=6.1.3=pyhd8ed1ab_0", "docker"),
        ("pyqt=5.15.10=py311h6a678d5_0", "pyqt5"),
        ("py-lief=0.12.3=py311h6a678d5_0", "lief"),
        ("fastapi-core=0.139.0=pyhcf101f3_0", "fastapi"),
        ("tensorflow-base=2.12.1=cpu_py310h91b7bb3_1", "tensorflow"),
        ("dask-core=2023.11.0=py311h06a4308_0", "dask"),
    ],
)
def test_conda_s_names_are_mapped(entry: str, name: str) -> None:
    conda, version, _ = entry.split("=")
    found = named(environment(entry), name)
    assert (found.text, found.note) == (version, f"conda calls it {conda}")
    assert environment(entry).warnings == ()


@pytest.mark.parametrize(
    "entry",
    """click=8.1.7=unix_pyh707e725_0 seaborn=0.12.2=hd8ed1ab_0 sympy=1.12=pypyh9d50eac_103
    typing-extensions=4.16.0=h69aa097_0 jaxlib=0.4.14=cpu_py310h67d73b5_1 wheel=0.41.2=py_0
    h5py=3.10.0=nompi_py310ha2ad45a_100 torchdata=0.7.1=py311 lightgbm=4.6.0=cpu_py_hb6b7976_8
    xgboost=2.1.4=cpu_pyhc1a9e11_2 fastapi=0.139.0=hedad5b1_0 mlflow-skinny=2.22.0=h78bf25f_0
    libmambapy=1.5.6=py311h2dafd23_0 python-dateutil=2.8.2=pyhd3eb1b0_0 absl-py=2.0.0=pyhd8ed1ab_0
    torchmetrics=1.4.0.post0=py311h06a4308_0 pandas=2.1.4""".split(),
)
def test_distributions_are_known_by_builds_and_names(entry: str) -> None:
    found = environment(entry)
    assert python_names(found) == {entry.partition("=")[0]}
    assert found.warnings == ()


def test_a_name_that_looks_like_conda_s_own_and_is_not_known_is_told() -> None:
    found = environment("python-zebra=1.0=py311_0")
    assert named(found, "python-zebra").confidence is Confidence.GUESSED
    assert any("by which name an index has python-zebra" in w for w in found.warnings)


def test_native_and_python_of_one_name_are_both_there() -> None:
    found = environment("tzdata=2024a=h04d1e81_0", "python-tzdata=2023.3=pyhd3eb1b0_0")
    assert [p.text for p in found.python_packages] == ["2023.3"]
    assert native_names(found) == {"python", "tzdata"}


def test_the_same_version_twice_is_one_without_a_word() -> None:
    found = environment(
        "prompt-toolkit=3.0.43=py311h06a4308_0",
        "prompt_toolkit=3.0.43=hd3eb1b0_0",
        "numpy-base=1.26.4=py311hf175353_0",
        "numpy=1.26.4=py311h08b1b3b_0",
        pip=("Prompt.Toolkit==3.0.43",),
    )
    assert len(found.python_packages) == 2
    assert named(found, "numpy").note is None
    assert named(found, "prompt-toolkit").origin is Origin.PIP
    assert found.warnings == ()


def test_conda_s_ruamel_yaml_is_another_module() -> None:
    found = environment(
        "ruamel.yaml=0.17.32=py310h2372a71_0", "ruamel_yaml=0.15.80=py310h2372a71_1009"
    )
    assert [(p.name, p.text) for p in found.python_packages] == [("ruamel-yaml", "0.17.32")]


def test_pip_beats_conda() -> None:
    found = environment("typing_extensions=4.5.0=pyha770c72_0", pip=("typing-extensions==4.8.0",))
    kept = named(found, "typing-extensions")
    assert (kept.text, kept.origin) == ("4.8.0", Origin.PIP)
    assert found.warnings == (
        "typing-extensions is listed as 4.5.0 by conda and as 4.8.0 by pip; taken as 4.8.0.",
    )


def test_a_version_that_is_said_beats_one_that_is_not() -> None:
    assert named(environment("acme=1.0=py_0", pip=("acme",)), "acme").text == "1.0"
    assert named(environment("acme", pip=("acme==2.0",)), "acme").text == "2.0"


def test_two_versions_of_one_origin_are_told() -> None:
    found = environment("cached-property=1.5.1=py_0", "cached_property=1.5.2=py_0")
    kept = named(found, "cached-property")
    assert (kept.text, kept.confidence) == ("1.5.2", Confidence.GUESSED)
    assert len(found.warnings) == 1


@pytest.mark.parametrize(
    "line",
    """pyspark==3.5.1.5.4.20240407 notebookutils==1.1.15.35.20260524.4 synapseml==1.1.3+spark4.1
    synapseml-internal==1.1.3.0+spark4.1 azureml-synapse==0.0.1 azure-synapse-ml-predict==1.0.0
    fabric-connection==0.2.0 fabric-analytics-sdk==0.0.3.post8 flt-python==1.5.0 gson==0.0.4
    chat-magics==0.1.25.2.28 chat-magics-fabric==0.2.0.25.8.13 ds-copilot==0.1.25.2.28
    dscopilot-installer==0.0.7 impulse-python-handler==1.5.223168344 control-script==1.0.3
    library-metadata-cooker==3.6.0.1 geoanalytics-fabric==1.0.1 pandasnet==1.0
    prose-pandas2pyspark==10.5.0rc2024121001 prose-suggestions==10.4.1 flaml==2.5.0.post4
    spark-mssql-connector-fabric35==1.1.0 sqlanalyticsconnectorpy==1.0.1
    sqlanalyticsfabricconnectorpy==1.0.1 kqlmagiccustom==0.1.115+fabric.post26
    pydeequ==1.5.0+msft.1""".split(),
)
def test_private_and_forked_packages_are_told_from_public_ones(line: str) -> None:
    found = environment(pip=(line,))
    name, text = line.split("==")
    package = named(found, name)
    assert (package.nature, package.text, str(package.version)) == (Nature.PRIVATE, text, text)
    assert name in found.owned_names


@pytest.mark.parametrize("line", ["pyspark==3.5.1", "flaml==2.3.0", "semantic-link-sempy==0.11.2"])
def test_public_ones_are_public(line: str) -> None:
    assert environment(pip=(line,)).python_packages[0].nature is Nature.PYTHON


def test_private_packages_that_conda_has() -> None:
    found = environment("flaml=2.3.6.post1=py310h3fd9d12_0", "fsspec_wrapper=0.1.15=py_3")
    assert {p.nature for p in found.python_packages} == {Nature.PRIVATE}
    # Whatever it looks like: this one looks like a library.
    assert python_names(environment("library-metadata-cooker=3.6.0.1")) == {
        "library-metadata-cooker"
    }


def test_dates_of_bundles_are_no_versions() -> None:
    found = environment("azure-identity=2023.12.01=py_0", "azure-core=1.29.4=pyhd8ed1ab_0")
    assert named(found, "azure-identity").confidence is Confidence.GUESSED
    assert named(found, "azure-core").confidence is Confidence.LIKELY
    assert any("azure-identity are dates" in w for w in found.warnings)
    assert environment("azure-identity=1.14.1=pyhd8ed1ab_0").warnings == ()


def test_post_releases_and_odd_pins_of_pip() -> None:
    found = environment(
        pip=("thop==0.1.1-2209072238", "pandas==2023.03", "--index-url https://user:pw@host/simple")
    )
    assert str(named(found, "thop").version) == "0.1.1.post2209072238"
    assert str(named(found, "pandas").version) == "2023.3"
    assert "pw" not in str(found)


def test_an_old_libstdcxx_prefers_older_wheels() -> None:
    old = environment("libstdcxx-ng=11.2.0=h1234567_1")
    assert str(old.prefers) == "manylinux_2_28_x86_64"
    assert any("libstdc++" in w for w in old.warnings)
    assert environment("libstdcxx-ng=13.2.0=h1").prefers is None
    assert environment("libstdcxx-ng=11.2.0=h1", platform="manylinux_2_28").prefers is None


# Components.json


def components(*packages: tuple[str, str], **more: Any) -> str:
    listed = [{"Name": n, "Current": v} for n, v in (("python", "3.11.8"), *packages)]
    kinds = {"Spark": [{"Name": "numpy", "Current": "9"}], "fabricPython": listed}
    return json.dumps({"components": kinds, "product": "Fabric 9", **more}, indent=2)


@pytest.mark.parametrize(
    ("system", "platform"),
    [
        ("CBL-Mariner 2.0.20260331", "manylinux_2_35_x86_64"),
        ("Azure Linux 3.0", "manylinux_2_38_x86_64"),
        ("AzureLinux 3.0.20260101", "manylinux_2_38_x86_64"),
        ("Ubuntu 22.04", "manylinux_2_35_x86_64"),
    ],
)
def test_components_say_their_system(system: str, platform: str) -> None:
    found = imported(components(("pandas", "2.1.4"), operatingSystem=system), platform=None)
    assert (str(found.python), str(found.platform)) == ("3.11.8", platform)
    assert found.title == f"Fabric 9, {system}"


def test_components_of_an_unknown_system_need_their_platform() -> None:
    text = components(("pandas", "2.1.4"), operatingSystem="Haiku")
    with pytest.raises(BadInput, match="platform"):
        imported(text, platform=None)
    assert str(imported(text).platform) == "manylinux_2_35_x86_64"


def test_components_have_neither_builds_nor_origins() -> None:
    found = imported(
        components(
            ("_libgcc_mutex", "0.1"),
            ("jpeg", "9e"),
            ("tzdata", "2024a"),
            ("python-tzdata", "2023.3"),
            ("libtiff", "4.5.1"),
            ("odd", "not-a-version"),
            ("typing-extensions", "4.5.0"),
            ("pytorch", "2.2.1"),
            ("library-metadata-cooker", "3.6.0.1"),
            ("typing-extensions", "4.8.0"),
        )
    )
    assert {p.name: p.text for p in found.python_packages} == {
        "tzdata": "2023.3",
        "typing-extensions": "4.8.0",
        "torch": "2.2.1",
        "library-metadata-cooker": "3.6.0.1",
    }
    assert {p.origin for p in found.installed} == {Origin.LIST}
    assert native_names(found) == {"python", "_libgcc_mutex", "jpeg", "tzdata", "libtiff", "odd"}


# conda list


def test_conda_list_as_text_and_as_json() -> None:
    lines = "python=3.11.8=h1 tzdata=2024a=h2 numpy=1.26.4=py311_0 six=1=pypi_0".split()
    found = imported("\n".join(["# platform: linux-64", *lines]))
    assert {(p.name, p.origin) for p in found.python_packages} == {
        ("numpy", Origin.CONDA),
        ("six", Origin.PIP),
    }
    rows = [
        {"name": "python", "version": "3.11.8", "build_string": "h1", "channel": "defaults"},
        {"name": "tzdata", "version": "2024a", "build_string": "h2", "channel": "defaults"},
        {"name": "numpy", "version": "1.26.4", "build_string": "py311_0", "channel": "defaults"},
        {"name": "six", "version": "1", "build_string": "pypi_0", "channel": "pypi"},
    ]
    assert imported(json.dumps(rows)).installed == found.installed
