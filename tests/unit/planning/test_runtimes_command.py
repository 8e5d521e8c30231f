"""`bonded runtime`, as it is typed, also where there is nothing of POSIX."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.serving import Bonded, clean_environment

LIST = "six==1.16.0\npyspark==3.5.1.5.4.20240407\n"
OPTIONS = ("--python", "3.11.8", "--platform", "manylinux_2_35/x86_64")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Our Image.txt"
    path.write_text(LIST)
    return path


def test_the_list_makes_no_data_folder(bonded: Bonded) -> None:
    found = {r["name"]: r for r in bonded.json("runtime", "list")}
    assert len(found) == 7
    assert found["fabric-1.3"]["python"] == "3.11.8"
    assert not any(r["imported"] for r in found.values())
    assert "fabric-1.3" in bonded.run("runtime", "list").stdout
    assert not bonded.data.exists()


def test_showing(bonded: Bonded) -> None:
    found = bonded.json("runtime", "show", "fabric-1.3")
    assert found["platform"] == "manylinux_2_35_x86_64"
    assert found["environment"]["python_full_version"] == "3.11.8"
    rows = {(r["name"], r["nature"]): r for r in found["installed"]}
    assert rows["tzdata", "native"]["version"] == "2024a"
    assert rows["tzdata", "python"]["version"] == "2023.3"
    assert rows["tzdata", "python"]["note"] == "conda calls it python-tzdata"
    assert found["warnings"]
    text = bonded.run("runtime", "show", "fabric-1.3").stdout
    assert "3.11.8" in text
    assert "pandas" in text
    assert "warning:" in text


def test_showing_a_target(bonded: Bonded) -> None:
    found = bonded.json("runtime", "show", "python-3.12/manylinux_2_28/aarch64")
    assert (found["python"], found["installed"]) == ("3.12.0", [])
    assert found["environment"]["platform_machine"] == "aarch64"
    bonded.run("runtime", "show", "python-3.12/manylinux_2_28")
    bonded.run("runtime", "show", "python-3.12/windows", code=2)


def test_importing(bonded: Bonded, file: Path) -> None:
    said = bonded.run("runtime", "import", file, *OPTIONS).stderr
    assert "our-image imported: Python 3.11.8 on manylinux_2_35_x86_64, 2 packages" in said
    found = bonded.json("runtime", "show", "our-image")
    assert [r["nature"] for r in found["installed"]] == ["python", "private"]
    again = bonded.json("runtime", "import", file, *OPTIONS)
    assert (again["name"], again["replaced"]) == ("our-image", True)
    assert [r["name"] for r in bonded.json("runtime", "list") if r["imported"]] == ["our-image"]
    # The folder is known to be Bonded's.
    assert bonded.json("check")["strays"] == []


def test_importing_from_standard_input(bonded: Bonded) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bonded", "runtime", "import", "-", "--name", "piped", *OPTIONS],
        input=LIST.encode(),
        capture_output=True,
        env=bonded.environment | {"BONDED_DATA": str(bonded.data)},
        check=True,
    )
    assert b"piped imported" in done.stderr
    assert not done.stdout


def test_what_is_unsaid_is_asked_for(bonded: Bonded, file: Path) -> None:
    said = bonded.run("runtime", "import", file, code=2).stderr
    assert "--python 3.11.8" in said
    said = bonded.run("runtime", "import", file, "--python", "3.11", code=2).stderr
    assert "--platform" in said
    assert not bonded.data.exists()


@pytest.mark.parametrize(
    "options",
    [
        ("--python", "three", "--platform", "manylinux_2_35"),
        ("--python", "3.11.8", "--platform", "linux"),
        (*OPTIONS, "--name", "Not A Name"),
    ],
)
def test_options_that_cannot_be_used(bonded: Bonded, file: Path, options: tuple[str, ...]) -> None:
    said = bonded.run("runtime", "import", file, *options, code=2).stderr
    assert said.startswith("error: ")
    assert "Traceback" not in said


def test_files_that_cannot_be_read(bonded: Bonded, tmp_path: Path) -> None:
    for path in (tmp_path / "none.yml", tmp_path):
        assert "cannot be read" in bonded.run("runtime", "import", path, code=2).stderr


def test_a_shipped_name_needs_force(bonded: Bonded, file: Path) -> None:
    line = ("runtime", "import", file, *OPTIONS, "--name", "fabric-1.3")
    assert "--force" in bonded.run(*line, code=1).stderr
    bonded.run(*line, "--force")
    assert bonded.json("runtime", "show", "fabric-1.3")["packages"] == 2


def test_a_runtime_that_is_not_there(bonded: Bonded) -> None:
    assert "Did you mean fabric-1.3" in bonded.run("runtime", "show", "fabrik-1.3", code=2).stderr


def test_the_difference(bonded: Bonded) -> None:
    found = bonded.json("runtime", "diff", "fabric-1.2", "fabric-1.3")
    assert found["python"] == {"before": "3.10.12", "after": "3.11.8"}
    assert "platform" not in found
    changed = {c["name"]: (c["before"], c["after"]) for c in found["changed"]}
    assert changed["pandas"] == ("2.0.3", "2.1.4")
    assert "accelerate" in {c["name"] for c in found["added"]}
    done = bonded.run("runtime", "diff", "fabric-1.2", "fabric-1.3")
    assert "python: 3.10.12 -> 3.11.8" in done.stdout
    # A redirection on Windows may have a narrow encoding.
    assert done.stdout.isascii()
    same = bonded.run("runtime", "diff", "fabric-1.3", "fabric-1.3")
    assert not same.stdout
    assert "same packages" in same.stderr


def test_the_probe_to_the_import(bonded: Bonded, tmp_path: Path) -> None:
    (tmp_path / "probe.py").write_text(bonded.run("runtime", "probe").stdout)
    done = subprocess.run(
        [sys.executable, tmp_path / "probe.py"], capture_output=True, text=True, check=True
    )
    (tmp_path / "session.json").write_text(done.stdout)
    options = () if json.loads(done.stdout)["libc"][0] else ("--platform", "musllinux_1_2")
    bonded.run("runtime", "import", tmp_path / "session.json", "--name", "here", *options)
    rows = {r["name"]: r for r in bonded.json("runtime", "show", "here")["installed"]}
    assert rows["packaging"]["confidence"] == "sure"
    assert rows["packaging"]["known_metadata"]


WITHOUT_POSIX = """\
import importlib, pkgutil, sys
for name in ("fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "syslog", "crypt"):
    sys.modules[name] = None
import bonded.model, bonded.planning
for package in (bonded.model, bonded.planning):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
        print(module.name)
sys.argv = ["bonded", *sys.argv[1:]]
from bonded.cli import main
main()
"""


def test_nothing_of_posix_is_needed(bonded: Bonded, file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_POSIX, "runtime", "import", file, *OPTIONS, "--json"],
        capture_output=True,
        text=True,
        env=clean_environment(BONDED_DATA=str(bonded.data)),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "bonded.planning.runtimes.conda" in done.stdout
    assert '"our-image"' in done.stdout


def test_helping_loads_neither_yaml_nor_the_lists() -> None:
    script = (
        "import sys\n"
        "sys.argv = ['bonded', 'runtime', '--help']\n"
        "from bonded.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "print('LOADED', *sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=clean_environment(),
    )
    out, _, loaded = done.stdout.partition("LOADED")
    assert "probe" in out
    assert not {"yaml", "bonded.planning", "bonded.model.runtimes"} & set(loaded.split())
