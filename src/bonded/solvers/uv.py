"""uv as a resolver: one index, wheels only, for another machine's Python and platform."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from bonded.model.problems import Problem, Unavailable
from bonded.model.runtimes import Platform
from bonded.planning.asks import Question, Solution
from bonded.simple import times
from bonded.solvers.loopback import Loopback

#: The levels of manylinux that uv knows; a runtime between two of them is taken for the lower.
_LEVELS = (17, 28, *range(31, 41))
_NO_SOLUTION = 1


@dataclass(frozen=True)
class Uv:
    """The `uv` binary. It reads no configuration and sees no credential."""

    async def solve(self, question: Question) -> Solution:
        """Solve. Raises `Unavailable` when the index could not be reached."""
        loopback = Loopback(question.shop)
        with tempfile.TemporaryDirectory(prefix="bonded-uv-") as cache:
            async with loopback.serve() as url:
                code, out, trouble = await _run(_line(question, url, cache), question)
        if code == 0:
            return Solution(versions=_versions(out))
        failed = next((p for p in loopback.troubles if isinstance(p, Unavailable)), None)
        if failed is not None:
            raise failed
        if code != _NO_SOLUTION:
            raise Problem(f"uv could not resolve ({trouble.strip()}).", code="solver-failed")
        return Solution(versions=None, trouble=trouble)


def _line(question: Question, url: str, cache: str) -> list[str]:
    line = [
        _binary(), "pip", "compile", "-", "--no-config", "--no-header", "--no-annotate",
        "--no-progress", "--color", "never", "--only-binary", ":all:", "--no-python-downloads",
        "--default-index", url, "--cache-dir", cache, "--python", sys.executable,
        "--python-version", str(question.runtime.python),
        "--python-platform", _platform(question.runtime.platform),
    ]  # fmt: skip
    if question.exclude_newer is not None:
        line += ["--exclude-newer", times.render(question.exclude_newer)]
    return line


def _binary() -> str:
    from uv import find_uv_bin

    return str(find_uv_bin())


def _platform(platform: Platform) -> str:
    if platform.libc == "musllinux":
        return f"{platform.arch}-unknown-linux-musl"
    level = max((n for n in _LEVELS if n <= platform.minor), default=_LEVELS[0])
    return f"{platform.arch}-manylinux_2_{level}"


async def _run(line: list[str], question: Question) -> tuple[int, str, str]:
    foreign = ("UV_", "PIP_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    environment = {k: v for k, v in os.environ.items() if not k.upper().startswith(foreign)}
    process = await asyncio.create_subprocess_exec(
        *line,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    asked = "\n".join(question.requirements).encode() + b"\n"
    try:
        out, err = await process.communicate(asked)
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    assert process.returncode is not None
    return process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")


def _versions(out: str) -> dict[NormalizedName, Version]:
    found = {}
    for line in out.splitlines():
        if line.strip() and not line.startswith(("#", "-")):
            requirement = Requirement(line.strip())
            (specifier,) = requirement.specifier
            found[canonicalize_name(requirement.name)] = Version(specifier.version)
    return found
