"""`bonded index-url`, `explain` and `check`: look, and change nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from bonded.cli.common import Json, as_json, on_terminal, run, say, table, told

if TYPE_CHECKING:
    from bonded.app.folder import Folder
    from bonded.operations.explain import Explanation
    from bonded.operations.sweep import Report
    from bonded.ports import Row


def index_url(
    feed: Annotated[str, typer.Argument(metavar="F", help="The feed.")], json: Json = False
) -> None:
    """Print the URL to give to pip and uv as --index-url."""
    from bonded.cli.running import base_url
    from bonded.model.names import FeedName
    from bonded.settings import load

    with told():
        place = run(lambda f: f.catalog.read(lambda tx: tx.feeds.get(FeedName(feed))))
        base = base_url(load())
    index, upload = f"{base}/{place.name}/simple/", f"{base}/{place.name}/legacy/"
    if json:
        as_json({"index_url": index, "upload_url": upload, "public": place.public})
        return
    typer.echo(index)
    if not place.public:
        say("The feed is private: give a token as the password, with any username, for example in")
        say("~/.netrc. Mint one: bonded token create --feed " + place.name)


def explain(
    feed: Annotated[str, typer.Argument(metavar="F", help="The feed.")],
    what: Annotated[
        str, typer.Argument(metavar="NAME[==VERSION]", help="The project, or one version of it.")
    ],
    json: Json = False,
) -> None:
    """Say of each file whether it is shown, by which view, and why."""
    with told():
        found = run(lambda f: _explain(f, feed, what))
    if json:
        as_json(found)
        return
    say(f"{found.name} in {found.feed}: {found.status}; owner: {found.owner}")
    if found.absent:
        say(f"not there: {found.absent}")
    rows = [
        {
            "file": line.filename,
            "state": "shown" if line.shown else "hidden",
            "by": line.by,
            "why": line.why,
        }
        for line in found.lines
    ]
    table(rows, json=False, empty="No files.")


async def _explain(folder: Folder, feed: str, what: str) -> Explanation:
    from bonded.app.upstreams import upstreams
    from bonded.model.names import FeedName, project_name
    from bonded.operations.explain import Explain
    from bonded.operations.releases import Release

    release = Release.parse(what) if "==" in what else None
    name = release.name if release else project_name(what)
    async with upstreams(folder) as reached:
        asking = Explain(lambda place: reached.stack().index(place), folder.catalog)
        return await asking.project(FeedName(feed), name, release.version if release else None)


def check(json: Json = False) -> None:
    """Check that every listed file is there and right, and that nothing else lies there.

    What interrupted uploads and pulls have left is removed first. Exit code 1 if anything is wrong.
    """
    removed, report, strays = run(_check)
    if json:
        as_json({"removed": removed, "strays": strays, "report": report})
    else:
        for fault in report.faults:
            typer.echo(f"{fault.feed}: {fault.filename}: {fault.what}")
        for stray in strays:
            typer.echo(f"{stray}: not Bonded's")
        say(f"{report.files} files, {report.size} bytes read; {len(report.faults)} wrong.")
        if removed:
            say(f"{removed} leftovers of interrupted work removed.")
    if report.faults or strays:
        raise typer.Exit(1)


async def _check(folder: Folder) -> tuple[int, Report, list[str]]:
    from bonded.cli.running import tidy
    from bonded.operations.sweep import Check

    removed = await tidy(folder)
    report = await Check(folder.catalog, folder.blobs).run(_step())
    known = {
        "catalog.db", "catalog.db-wal", "catalog.db-shm", "blobs", "spool", "spool.lock",
        "serve.lock", "identity", "metrics", "bonded.toml", "runtimes",
    }  # fmt: skip
    beside = (p for p in folder.path.iterdir() if p.name not in known)
    strays = sorted(str(p.relative_to(folder.path)) for p in (*folder.blobs.strays(), *beside))
    return removed, report, strays


def _step() -> Callable[[Row], None]:
    if not on_terminal():
        return lambda _row: None
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("checked"), MofNCompleteColumn(), TransferSpeedColumn())
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    progress.start()
    task = progress.add_task("check", total=None)

    def step(row: Row) -> None:
        progress.update(task, advance=1)

    return step
