"""`bonded upload`, `yank`, `unyank`, `delete` and `project status`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bonded.cli.common import FeedOption, Json, actor, as_json, run, say, told

if TYPE_CHECKING:
    from bonded.app.folder import Folder
    from bonded.model.feeds import Feed
    from bonded.model.files import File
    from bonded.model.names import FeedName
    from bonded.operations.releases import ReleaseAdmin
    from bonded.operations.uploads import Receipt, Uploads

project = typer.Typer(help="A project as a whole.", no_args_is_help=True)
ReleaseArgument = Annotated[str, typer.Argument(metavar="NAME==VERSION", help="The release.")]


@project.callback()
def _project() -> None:
    """Keep `status` a command of its own."""


def upload(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Wheels and sdists.")],
    feed: FeedOption,
    json: Json = False,
) -> None:
    """Upload files straight into a feed; those that are there already are skipped."""
    from bonded.model.names import FeedName

    with told():
        receipts = run(lambda f: _upload_all(f, FeedName(feed), files))
    if json:
        as_json(
            [
                {"filename": r.file.filename, "sha256": r.file.sha256, "outcome": str(r.outcome)}
                for r in receipts
            ]
        )


async def _upload_all(folder: Folder, feed: FeedName, files: list[Path]) -> list[Receipt]:
    from bonded.operations.uploads import Uploads

    place = await folder.catalog.read(lambda tx: tx.feeds.get(feed))
    uploads = Uploads(folder.catalog, folder.blobs, folder.catalog.clock)
    receipts = []
    for path in files:
        receipt = await _upload(folder, uploads, place, path)
        say(f"{path.name}: {receipt.outcome}")
        receipts.append(receipt)
    return receipts


async def _upload(folder: Folder, uploads: Uploads, feed: Feed, path: Path) -> Receipt:
    from bonded.model.problems import BadInput
    from bonded.operations.uploads import Incoming

    spooled = folder.spool.new()
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                spooled.write(piece)
        return await uploads.accept(feed, actor(), Incoming(filename=path.name, spooled=spooled))
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", code="no-file") from None
    finally:
        spooled.close()


def yank(
    release: ReleaseArgument,
    feed: FeedOption,
    reason: Annotated[str, typer.Option(help="Shown to those who install it anyway.")] = "",
) -> None:
    """Yank a release: installers pass it over unless it is asked for exactly (PEP 592)."""
    _yank(release, feed, reason)
    say(f"Yanked {release} in {feed}.")


def unyank(release: ReleaseArgument, feed: FeedOption) -> None:
    """Take a yank back."""
    _yank(release, feed, None)
    say(f"{release} in {feed} is no longer yanked.")


def _yank(text: str, feed: str, reason: str | None) -> None:
    from bonded.model.names import FeedName
    from bonded.operations.releases import Release

    with told():
        release = Release.parse(text)
        run(lambda f: _admin(f).yank(FeedName(feed), release, reason))


def delete(
    what: Annotated[
        str, typer.Argument(metavar="NAME==VERSION|FILENAME", help="The release, or the file.")
    ],
    feed: FeedOption,
) -> None:
    """Delete a release or one file. The filename of an uploaded file stays taken for ever."""
    from bonded.model.names import FeedName

    with told():
        deleted = run(lambda f: _delete(f, FeedName(feed), what))
    for file in deleted:
        say(f"Deleted {file.filename} from {feed}.")


async def _delete(folder: Folder, feed: FeedName, what: str) -> list[File]:
    from bonded.operations.sweep import Sweep

    deleted = await _admin(folder).delete(feed, what)
    await Sweep(folder.catalog, folder.blobs).blob(*(f.sha256 for f in deleted if f.sha256))
    return deleted


@project.command("status")
def status(
    name: Annotated[str, typer.Argument(help="The project.")],
    standing: Annotated[
        str, typer.Argument(metavar="active|archived|deprecated|quarantined", help="Its status.")
    ],
    feed: FeedOption,
    reason: Annotated[str | None, typer.Option(help="Shown with it.")] = None,
) -> None:
    """Give a project a status (PEP 792). Quarantined: none of its files is served."""
    from bonded.model.files import Standing
    from bonded.model.names import FeedName, project_name
    from bonded.model.problems import BadInput

    with told():
        checked = project_name(name)
        try:
            marker = Standing(standing)
        except ValueError:
            raise BadInput(
                f"{standing!r} is not a status.",
                code="bad-status",
                hint="Use active, archived, deprecated or quarantined.",
            ) from None
        run(lambda f: _admin(f).mark(FeedName(feed), checked, marker, reason))
    say(f"{checked} in {feed} is {marker}.")


def _admin(folder: Folder) -> ReleaseAdmin:
    from bonded.operations.releases import ReleaseAdmin

    return ReleaseAdmin(folder.catalog, folder.catalog.clock, actor())
