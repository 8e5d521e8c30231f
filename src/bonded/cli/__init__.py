"""The command line: one file a noun. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The `bonded` command. `--data` may stand anywhere on the line."""
    from bonded.cli.root import app

    arguments, data = _without_data(sys.argv[1:])
    if data is not None:
        os.environ["BONDED_DATA"] = data
    app(args=arguments, prog_name="bonded")


def _without_data(arguments: list[str]) -> tuple[list[str], str | None]:
    rest: list[str] = []
    data = None
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            return [*rest, argument, *waiting], data
        if argument == "--data":
            data = next(waiting, None)
            if data is None:
                return arguments, None
        elif argument.startswith("--data="):
            data = argument.removeprefix("--data=")
        else:
            rest.append(argument)
    return rest, data
