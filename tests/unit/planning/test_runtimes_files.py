"""Requirements, freezes, lock files and reports of live sessions."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from bonded.model.problems import BadInput
from bonded.model.runtimes import Confidence, Installed, Nature, Origin, Runtime
from bonded.planning.runtimes.importing import Given, read, read_file
from bonded.planning.runtimes.library import probe_script
from support.serving import clean_environment


def imported(text: str | bytes, **given: Any) -> Runtime:
    data = text if isinstance(text, bytes) else text.encode()
    given = {"python": "3.11.8", "platform": "manylinux_2_35"} | given
    return read(data, Given(name="r", source="test", **given))


def versions(runtime: Runtime) -> dict[str, str]:
    return {p.name: p.text for p in runtime.python_packages}


def named(runtime: Runtime, name: str) -> Installed:
    (found,) = (i for i in runtime.installed if i.name == name)
    return found


# Requirements and freezes


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Jinja2==3.1.2", {"jinja2": "3.1.2"}),
        ("requests[socks]==2.31.0", {"requests": "2.31.0"}),
        ("a == 1.0  # why", {"a": "1.0"}),
        ("a===1.0", {"a": "1.0"}),
        ("a==1.0+local.1", {"a": "1.0+local.1"}),
        ("a==1.0 --hash=sha256:00 --hash=sha256:11", {"a": "1.0"}),
        ("a==1.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\nb==2", {"a": "1.0", "b": "2"}),
        ("a==1.0; python_version >= '3.11'", {"a": "1.0"}),
        ("a==1.0; python_full_version == '3.11.8' and sys_platform == 'linux'", {"a": "1.0"}),
        ("b==2\na==1.0; sys_platform == 'win32'", {"b": "2"}),
        ("b==2\na==1.0; platform_machine == 'aarch64'", {"b": "2"}),
        ("a @ file:///croot/a-1.0-py3-none-any.whl", {"a": "1.0"}),
        ("a @ https://user:pw@host/x/a-1.0.tar.gz#sha256=00", {"a": "1.0"}),
        ("https://user:pw@host/x/a-1.0-py3-none-any.whl", {"a": "1.0"}),
        ("./dist/a-1.0-py3-none-any.whl", {"a": "1.0"}),
        ("# Editable install with no version control (a==1.0)\n-e /src/a", {"a": "1.0"}),
        ("# Editable Git install with no remote (a==1.0)\n-e /src/a", {"a": "1.0"}),
        ("## The following requirements were added by pip freeze:\na==1.0", {"a": "1.0"}),
        ("--index-url https://user:pw@host/simple\n--pre\na==1.0", {"a": "1.0"}),
        ("\n\n  a==1.0\n\n", {"a": "1.0"}),
    ],
)
def test_lines_with_a_version(line: str, said: dict[str, str]) -> None:
    found = imported(line)
    assert versions(found) == said
    assert found.warnings == ()
    assert "pw" not in repr(found)


@pytest.mark.parametrize(
    "line",
    [
        "a",
        "a>=1.0",
        "a==1.*",
        "a>1,==2",
        "a @ file:///croot/a_1700000000000/work",
        "a @ git+https://user:pw@host/a.git@0123abc",
        "-e git+https://user:pw@host/a.git@0123abc#egg=a",
        "-e git+https://host/x.git#subdirectory=x&egg=A",
    ],
)
def test_what_is_installed_in_an_unknown_version_is_told(line: str) -> None:
    found = imported(f"b==1\n{line}")
    assert versions(found) == {"b": "1"}
    assert found.owned_names == {"a", "b"}
    assert [w for w in found.warnings if "No version is said for a:" in w]
    assert "pw" not in repr(found)


def test_a_version_that_is_none_is_told() -> None:
    found = imported("a===2004d-custom\nb==1")
    assert versions(found) == {"b": "1"}
    assert any("a (2004d-custom)" in w for w in found.warnings)


def test_other_files_are_not_followed_and_that_is_told() -> None:
    found = imported("-r base.txt\n-c limits.txt\na==1")
    assert any("-c limits.txt, -r base.txt" in w for w in found.warnings)


@pytest.mark.parametrize(
    "data",
    [
        b"a==1\r\nb==2",
        b"\xef\xbb\xbfa==1\nb==2\n",
        "a==1\r\nb==2\r\n".encode("utf-16"),
        b"a==1\nb==2",
    ],
)
def test_bytes_are_taken_as_they_come(data: bytes) -> None:
    assert versions(imported(data)) == {"a": "1", "b": "2"}


@pytest.mark.parametrize("missing", ["python", "platform"])
def test_what_no_list_says_has_to_be_given(missing: str) -> None:
    with pytest.raises(BadInput) as refused:
        imported("a==1", **{missing: None})
    assert refused.value.code == f"needs-{missing}"
    assert f"--{missing}" in (refused.value.hint or "")


@pytest.mark.parametrize("text", ["<html>", "| a | 1 |", "hello, world", "a == ", "a==1\n:::"])
def test_lines_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="not a line of a requirements file"):
        imported(text)


def test_a_wrong_line_says_no_password_back() -> None:
    with pytest.raises(BadInput) as refused:
        imported("a 1 @ https://user:pw@host/a")
    assert "pw" not in refused.value.message


def test_what_the_system_has_is_told_from_the_rest() -> None:
    found = imported(
        "dbus-python==1.2.18\nPyGObject==3.42.1\nunattended-upgrades==0.1\nsix==1.16.0"
    )
    origins = {p.name: p.origin for p in found.installed}
    assert [n for n, o in origins.items() if o is Origin.LIST] == ["six"]
    assert named(found, "unattended-upgrades").nature is Nature.PRIVATE


def test_pip_list_in_json() -> None:
    text = json.dumps([{"name": "A", "version": "1"}, {"name": "b", "version": "2"}])
    assert versions(imported(text)) == {"a": "1", "b": "2"}


# pylock.toml

LOCK = """\
lock-version = "1.0"
created-by = "test"

[[packages]]
name = "a"
version = "1.0"

[[packages]]
name = "here"
version = "1.0"
marker = "python_full_version >= '3.11.3' and sys_platform == 'linux'"

[[packages]]
name = "elsewhere"
version = "1.0"
marker = "sys_platform == 'win32'"

[[packages]]
name = "wanted"
version = "1.0"
marker = "'more' in extras"

[[packages]]
name = "unsaid"
vcs = { type = "git", url = "https://host/x.git", commit-id = "0" }
"""


def test_a_lock_file() -> None:
    found = imported(LOCK)
    assert versions(found) == {"a": "1.0", "here": "1.0"}
    assert found.owned_names == {"a", "here", "unsaid"}
    assert versions(imported(LOCK, python="3.11.2")) == {"a": "1.0"}


def test_a_lock_file_says_neither_python_nor_platform() -> None:
    for missing in ("python", "platform"):
        with pytest.raises(BadInput, match="does not say which"):
            imported(LOCK, **{missing: None})


@pytest.mark.parametrize("text", [LOCK + "x = [", LOCK.replace("'win32'", "win32")])
def test_a_broken_lock_file_is_told(text: str) -> None:
    with pytest.raises(BadInput):
        imported(text)


# pip inspect


def inspected(*installed: dict[str, Any], **environment: str) -> str:
    said = {
        "implementation_name": "cpython",
        "platform_machine": "aarch64",
        "platform_system": "Linux",
        "python_full_version": "3.12.3",
    }
    return json.dumps(
        {
            "version": "1",
            "pip_version": "24",
            "installed": installed,
            "environment": said | environment,
        }
    )


def test_pip_inspect() -> None:
    socks = {
        "metadata": {
            "name": "Requests",
            "version": "2.31.0",
            "requires_dist": ["idna", "PySocks; extra == 'socks'"],
            "provides_extra": ["socks"],
        },
        "installer": "conda",
    }
    found = imported(inspected(socks), python=None)
    package = named(found, "requests")
    assert (str(found.python), str(found.platform)) == ("3.12.3", "manylinux_2_35_aarch64")
    assert (package.origin, package.confidence) == (Origin.CONDA, Confidence.SURE)
    assert package.known_metadata
    assert package.extras == ("socks",)
    assert package.requires == ("idna", "PySocks; extra == 'socks'")


def test_pip_inspect_does_not_say_the_libc() -> None:
    with pytest.raises(BadInput, match="platform"):
        imported(inspected({"metadata": {"name": "a", "version": "1"}}), platform=None)


@pytest.mark.parametrize(
    "environment", [{"platform_system": "Windows"}, {"implementation_name": "pypy"}]
)
def test_other_systems_are_refused(environment: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        imported(inspected({"metadata": {"name": "a", "version": "1"}}, **environment))


def test_pip_inspect_of_this_environment() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "inspect"],
        capture_output=True,
        check=True,
        env=clean_environment(),
    )
    found = imported(done.stdout, python=None)
    assert found.python.release == sys.version_info[:3]
    assert "packaging" in versions(found)
    assert named(found, "packaging").known_metadata


# The probe


def test_the_probe_of_this_python(tmp_path: Path) -> None:
    script = tmp_path / "probe.py"
    script.write_text(probe_script(), "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", script], capture_output=True, check=True, cwd=tmp_path
    )
    (tmp_path / "session.json").write_bytes(done.stdout)
    given = {} if json.loads(done.stdout)["libc"][0] else {"platform": "musllinux_1_2"}
    found = read_file(tmp_path / "session.json", Given(name="r", source="test", **given))
    assert found.python.release == sys.version_info[:3]
    here = {canonicalize_name(d.metadata["Name"]): d for d in reversed(list(distributions()))}
    assert versions(found) == {n: d.version for n, d in here.items()}
    package = named(found, "granian")
    assert (package.origin, package.confidence) == (Origin.PROBE, Confidence.SURE)
    assert list(package.requires) == here[package.name].requires
    assert list(package.extras) == here[package.name].metadata.get_all("Provides-Extra")
    assert found.warnings == ()


def test_the_probe_is_small_and_of_the_standard_library() -> None:
    text = probe_script()
    assert len(text.splitlines()) < 80
    assert text.isascii()
    ast.parse(text, feature_version=(3, 8))
    imports = {line.split()[1] for line in text.splitlines() if line.strip().startswith("import ")}
    assert imports == {"json", "platform", "sys"}


def test_the_probe_runs_in_a_notebook_s_cell(capsys: pytest.CaptureFixture[str]) -> None:
    exec(probe_script(), {"__name__": "__main__"})
    assert json.loads(capsys.readouterr().out)["bonded-probe"] == 1


def probed(*distributions: dict[str, Any], **more: Any) -> str:
    report = {
        "bonded-probe": 1,
        "python": "3.11.0rc1",
        "implementation": "CPython",
        "system": "Linux",
        "machine": "aarch64",
        "libc": ["glibc", "2.35"],
        "distributions": distributions or [{"name": "a", "version": "1"}],
    }
    return json.dumps(report | more)


def test_the_probe_s_report_says_everything() -> None:
    found = imported(probed(), python=None, platform=None)
    assert (str(found.python), str(found.platform)) == ("3.11.0rc1", "manylinux_2_35_aarch64")
    musl = imported(probed(libc=["musl", "1.2"], machine="x86_64"), platform=None)
    assert str(musl.platform) == "musllinux_1_2_x86_64"


@pytest.mark.parametrize("libc", [["", ""], [], ["bionic", "1"]])
def test_a_libc_that_the_probe_does_not_know_is_asked_for(libc: list[str]) -> None:
    with pytest.raises(BadInput, match="platform"):
        imported(probed(libc=libc), platform=None)
    assert str(imported(probed(libc=libc)).platform) == "manylinux_2_35_aarch64"


def test_the_first_of_a_name_is_the_one_that_is_imported() -> None:
    found = imported(
        probed(
            {"name": "A_b", "version": "2"},
            {"name": "a.B", "version": "1"},
            {"name": None, "version": "1"},
            {"name": "", "version": None},
            {"name": "odd", "version": "unknown"},
            {"name": "none", "version": None},
        )
    )
    assert versions(found) == {"a-b": "2"}
    assert found.owned_names == {"a-b", "odd", "none"}
    assert len(found.warnings) == 2


@pytest.mark.parametrize(
    "more",
    [
        {"system": "Windows"},
        {"system": "Darwin"},
        {"implementation": "PyPy"},
        {"distributions": 3},
        {"python": None},
        {"python": "2.7.18"},
        {"machine": "vax"},
        {"libc": ["glibc", "two"]},
    ],
)
def test_other_reports_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        imported(probed(**more), python=None, platform=None)
