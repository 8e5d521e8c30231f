"""`bonded feed`: make, show, change and delete feeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bonded.cli.common import Json, actor, as_json, cell, run, say, table, told

if TYPE_CHECKING:
    from bonded.app.folder import Folder
    from bonded.model.feeds import Feed, UpstreamSpec
    from bonded.model.names import FeedName
    from bonded.ports import Transaction

app = typer.Typer(help="Feeds: make, list, show, change, delete.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The feed: lowercase letters, digits and dashes.")]
Upstreams = Annotated[
    list[str] | None,
    typer.Option(
        "--upstream",
        metavar="default|URL|feed:NAME",
        help="Fall back to this index; may be given several times, in order. Credentials are"
        " references: https://env:NAME@host/simple/ or https://user:file:PATH@host/simple/.",
    ),
]


@app.command("create")
def create(
    name: Name,
    upstream: Upstreams = None,
    public: Annotated[bool, typer.Option("--public", help="Readable without a token.")] = False,
) -> None:
    """Make a feed. Without --upstream it only hosts what is uploaded to it."""
    from bonded.model.names import feed_name
    from bonded.operations.feeds import FeedAdmin

    with told():
        checked, specs = feed_name(name), _specs(upstream or [])
        feed = run(lambda f: FeedAdmin(f.catalog, actor()).create(checked, public, specs))
        say(f"Feed {feed.name} made: {_chain(feed)}.")


@app.command("set")
def change(
    name: Name,
    upstream: Upstreams = None,
    no_upstream: Annotated[
        bool, typer.Option("--no-upstream", help="Host only, from now on.")
    ] = False,
    public: Annotated[
        bool | None, typer.Option("--public/--private", help="Readable without a token, or not.")
    ] = None,
) -> None:
    """Give a feed other upstreams, or make it public or private."""
    from bonded.model.problems import BadInput
    from bonded.operations.feeds import FeedAdmin

    with told():
        if upstream and no_upstream:
            raise BadInput("--upstream and --no-upstream contradict each other.", code="options")
        if not upstream and not no_upstream and public is None:
            raise BadInput(
                "Nothing to set.",
                code="options",
                hint="Give --upstream, --no-upstream, --public or --private.",
            )
        specs = [] if no_upstream else _specs(upstream) if upstream else None
        checked = _name(name)
        feed = run(lambda f: FeedAdmin(f.catalog, actor()).change(checked, public, specs))
        say(f"Feed {feed.name} set: {_chain(feed)}.")


@app.command("list")
def list_(json: Json = False) -> None:
    """List the feeds."""
    from bonded.operations.feeds import FeedAdmin

    feeds = run(lambda f: FeedAdmin(f.catalog, actor()).all())
    table([_row(f) for f in feeds], json, "No feeds yet. Make one: bonded feed create NAME")


@app.command("show")
def show(name: Name, json: Json = False) -> None:
    """Show a feed, what it falls back to and how much it holds."""
    with told():
        checked = _name(name)
        feed, (files, size) = run(lambda f: f.catalog.read(lambda tx: _held(tx, checked)))
    out = _row(feed) | {"files": files, "bytes": size}
    if json:
        as_json(out)
        return
    for key, value in out.items():
        typer.echo(f"{key + ':':<12} {cell(value)}")


@app.command("delete")
def delete(
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Even if it holds files.")] = False,
) -> None:
    """Delete a feed."""
    from bonded.operations.feeds import FeedAdmin
    from bonded.operations.sweep import Sweep

    with told():
        checked = _name(name)

        async def work(f: Folder) -> None:
            await FeedAdmin(f.catalog, actor()).delete(checked, force=force)
            await Sweep(f.catalog, f.blobs).everything()

        run(work)
        say(f"Feed {name} deleted.")


def _held(tx: Transaction, name: FeedName) -> tuple[Feed, tuple[int, int]]:
    feed = tx.feeds.get(name)
    return feed, tx.holdings.total(feed)


def _name(text: str) -> FeedName:
    from bonded.model.names import FeedName

    return FeedName(text)


def _specs(texts: list[str]) -> list[UpstreamSpec]:
    from bonded.model.feeds import UpstreamSpec

    return [UpstreamSpec.parse(text) for text in texts]


def _chain(feed: Feed) -> str:
    kind = "public" if feed.public else "private"
    chain = ", then ".join(u.spec.text for u in feed.upstreams)
    return f"{kind}, falls back to {chain}" if chain else f"{kind}, hosts only"


def _row(feed: Feed) -> dict[str, object]:
    return {
        "name": feed.name,
        "public": feed.public,
        "upstreams": [u.spec.text for u in feed.upstreams],
        "created": feed.created,
    }
