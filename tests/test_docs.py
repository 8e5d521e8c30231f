"""The documents say what the product does: commands, settings, links and numbers are held to it."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from bonded.cli.root import app
from bonded.settings import Settings
from bonded.views import cached
from support.dists import wheel
from support.serving import Bonded
from support.upstream import Upstream

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
SOURCES = ("src", "tests", "examples", "docs", ".ci")
#: Never written down in one piece: the hosts of registries.
HOSTS = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "com"))]
BONDED: Any = typer.main.get_command(app)


def by_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


each_page = pytest.mark.parametrize("page", PAGES, ids=by_name)


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


# Commands


def shown(page: Path) -> Iterator[str]:
    """The lines that a reader is to type."""
    for block in blocks(page, "console"):
        for line in block.splitlines():
            if line.startswith(("$ ", "# ")):
                yield line[2:]


def of_bonded(line: str) -> list[str] | None:
    """The arguments of `bonded` on a line that runs it, as another user or with variables too."""
    line = re.sub(r"^\w+=\$\((.*)\)$", r"\1", line.removesuffix(" &"))
    line = re.sub(r" > [\w.-]+$", "", line)
    line = re.sub(r"^(sudo -u \w+ )?(\w+=\S+ )*", "", line)
    first, *words = shlex.split(line)
    return words if first.rpartition("/")[2] == "bonded" else None


COMMANDS = [
    pytest.param(arguments, id=f"{by_name(page)}: {line}")
    for page in PAGES
    for line in shown(page)
    if (arguments := of_bonded(line)) is not None
]


@pytest.mark.parametrize("arguments", COMMANDS)
def test_commands_are_taken(arguments: list[str]) -> None:
    command, rest = BONDED, arguments
    while hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
    command.make_context("bonded", list(rest))


def test_commands_were_found() -> None:
    assert len(COMMANDS) > 30


@each_page
def test_commands_within_text_exist(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for line in re.findall(r"`bonded ([a-z][^`]*)`", text):
        command, words = BONDED, line.replace("\\|", " ").split()
        while hasattr(command, "commands") and words:
            assert words[0] in command.commands, line
            command, words = command.commands[words[0]], words[1:]
        known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
        for option in re.findall(r"(?<![\w-])--[a-z-]+", " ".join(words)):
            assert option in known | {"--help", "--data"}, line


def leaves(command: Any, path: str = "bonded") -> Iterator[tuple[str, Any]]:
    for name, child in command.commands.items():
        if hasattr(child, "commands"):
            yield from leaves(child, f"{path} {name}")
        else:
            yield f"{path} {name}", child


LEAVES = dict(leaves(BONDED))


@pytest.mark.parametrize("name", LEAVES)
def test_the_reference_has_every_command_and_option(name: str) -> None:
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    usages = [u for u in re.findall(r"`(bonded [^`]*)`", text) if f"{u} ".startswith(f"{name} ")]
    assert usages, f"{name} is not in docs/cli.md"
    options = {o for p in LEAVES[name].params for o in (*p.opts, *p.secondary_opts)}
    # `--json` and `--help` are told of once; of a pair the one that is not the default.
    missing = {o for o in options if o.startswith("--") and o not in usages[0]}
    assert missing <= {"--json", "--help", "--access-log"}


def test_the_reference_names_the_commands_with_json() -> None:
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    listed = re.search(r"`--json` is taken by.*?\.\n", text, re.DOTALL)
    assert listed is not None
    named = {f"bonded {n}" for n in re.findall(r"`([a-z][^`]*)`", listed[0])}
    assert named == {n for n, c in LEAVES.items() if any("--json" in p.opts for p in c.params)}


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_helps(name: str) -> None:
    assert LEAVES[name].help
    assert all(getattr(p, "help", "") for p in LEAVES[name].params), name


# The quick start, as it is pasted


def test_the_quick_start_works(bonded: Bonded, upstream: Upstream, tmp_path: Path) -> None:
    upstream.add(wheel("rich", "15.0.0"))
    port = _free_port()
    lines = [ln for ln in shown(ROOT / "docs" / "quick-start.md") if not ln.startswith("make")]
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    environment = bonded.environment | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PIP_INDEX_URL": upstream.url,
        "BONDED_PORT": str(port),
    }
    script = "\n".join(["set -e", "trap 'kill $!; wait' EXIT", *lines])
    script = script.replace("8080", str(port))
    # What a person does by reading: wait until it serves.
    ready = f"until (: < /dev/tcp/127.0.0.1/{port}) 2> /dev/null; do sleep 0.1; done"
    script = script.replace("bonded serve &", f"bonded serve & \n{ready}")
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((tmp_path / "try").glob("lib/*/site-packages/rich")), done.stdout
    assert "uploaded to feed team" in done.stdout
    assert upstream.asked("rich")
    assert not upstream.asked("acme")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# Links, names, numbers


def anchors(page: Path) -> set[str]:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in heads}


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        place = (page.parent / path) if path else page
        assert place.exists(), target
        assert not anchor or anchor in anchors(place), target


@each_page
def test_make_targets_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"(?:^\$ |`)make ([.a-z]+)", page.read_text("utf-8"), re.MULTILINE):
        assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), target


def test_no_host_of_a_registry_is_written_down() -> None:
    files = [*PAGES, ROOT / "Makefile", ROOT / "pyproject.toml", ROOT / "requirements.lock"]
    files += [p for top in SOURCES for p in (ROOT / top).rglob("*") if p.is_file()]
    found = [
        by_name(path)
        for path in files
        if path.suffix != ".pyc" and any(h.encode() in path.read_bytes() for h in HOSTS)
    ]
    assert found == []


def test_every_module_is_in_the_architecture_and_no_other() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8").partition("## One read")[0]
    source = ROOT / "src" / "bonded"
    modules = {p.name for p in source.rglob("*.py") if p.name != "__init__.py"}
    named = {n.rpartition("/")[2] for n in re.findall(r"`([\w/]+\.py)`", text)}
    assert named - {"test_layers.py"} == modules


def test_the_settings_are_those_there_are() -> None:
    page = (ROOT / "docs" / "production.md").read_text("utf-8")
    block = page.partition("## Settings")[2].partition("```toml\n")[2].partition("```")[0]
    said = tomllib.loads(block)
    unset = set(re.findall(r"^# (\w+) =", block, re.MULTILINE))
    fields = {n: f.default for n, f in Settings.model_fields.items() if n != "data"}
    assert said == {n: d for n, d in fields.items() if d is not None}
    assert unset == {n for n, d in fields.items() if d is None}


def test_the_times_of_pages_are_those_of_the_code() -> None:
    page = re.sub(r"\s+", " ", (ROOT / "docs" / "feeds.md").read_text("utf-8"))
    assert timedelta(hours=1) == cached.LONGEST
    assert f"from {cached.SHORTEST.seconds} seconds to 1 hour" in page
    assert f"{cached.UNSAID.seconds // 60} minutes where it says nothing" in page
    assert f"at most {cached.PATIENCE:.0f} seconds" in page
    assert f"for {cached.RESTING.seconds} seconds at a time" in page
    assert f"absent is believed for {cached.ABSENT.seconds // 60} minute" in page


# The unit


def unit() -> str:
    return blocks(ROOT / "docs" / "production.md", "systemd")[0]


def test_the_unit_is_well_formed() -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit())
    assert parser.sections() == ["Unit", "Service", "Install"]
    command = of_bonded(parser["Service"]["ExecStart"])
    assert command == ["serve"]


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine"
)
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    # The user and the program of the example are not on this machine.
    text = unit().replace("/opt/bonded/venv/bin/bonded", shutil.which("true") or "/bin/true")
    text = re.sub(r"^(User|Group)=.*\n", "", text, flags=re.MULTILINE)
    path = tmp_path / "bonded.service"
    path.write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True)
    said = [ln for ln in done.stderr.splitlines() if "bonded.service" in ln]
    assert said == []
    assert done.returncode == 0
