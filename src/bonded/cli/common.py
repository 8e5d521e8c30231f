"""What the commands share: the data folder, running a verb, and saying what came of it."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from bonded.model.problems import Problem

if TYPE_CHECKING:
    from bonded.app.folder import Folder

T = TypeVar("T")
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
FeedOption = Annotated[str, typer.Option("--feed", metavar="F", help="The feed.")]


@contextmanager
def told() -> Iterator[None]:
    """End the command with the sentence of a `Problem`, and its exit code."""
    try:
        yield
    except Problem as problem:
        fail(problem)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except BrokenPipeError:
        raise typer.Exit(141) from None


def fail(problem: Problem) -> NoReturn:
    """Say what is wrong and what to do, and end."""
    typer.echo(f"error: {problem.message}", err=True)
    if problem.hint:
        typer.echo(f"hint: {problem.hint}", err=True)
    raise typer.Exit(problem.exit_code)


def run(work: Callable[[Folder], Awaitable[T]]) -> T:
    """Run a verb on the data folder."""
    from bonded.app.folder import folder
    from bonded.settings import load

    async def go(opened: Folder) -> T:
        return await work(opened)

    with told(), folder(load().data) as opened:
        return asyncio.run(go(opened))
    raise AssertionError("told() ends the command on a problem")


def actor() -> str:
    """Who is to be named in the audit for what a command does."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


def say(message: str) -> None:
    """A line for people, beside what a script reads."""
    typer.echo(message, err=True)


def as_json(value: Any) -> None:
    """Print JSON."""
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(value, enc_hook=str)).decode())


def table(rows: Sequence[Mapping[str, object]], json: bool, empty: str) -> None:
    """Print rows: as JSON, or as columns whose heads are the keys of the first."""
    if json:
        as_json(rows)
        return
    if not rows:
        say(empty)
        return
    heads = list(rows[0])
    cells = [heads, *([cell(row[head]) for head in heads] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(heads))]
    for line in cells:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(padded).rstrip())


def cell(value: object) -> str:
    """A value as people read it."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(v) for v in value) or "-"
    return str(value)


def on_terminal() -> bool:
    """Whether progress is looked at by a person."""
    return sys.stderr.isatty()
