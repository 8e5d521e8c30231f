"""`bonded claim`: say whose names are whose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bonded.cli.common import Json, actor, run, say, table, told

if TYPE_CHECKING:
    from bonded.app.folder import Folder
    from bonded.model.names import FeedName
    from bonded.operations.claims import ClaimAdmin

app = typer.Typer(
    help="Names that belong to a feed, and are never asked of an upstream.", no_args_is_help=True
)

Patterns = Annotated[list[str], typer.Argument(metavar="NAME|PATTERN…", help="Such as acme-*")]
OneFeed = Annotated[str | None, typer.Option("--feed", metavar="F", help="For this feed.")]
AllFeeds = Annotated[bool, typer.Option("--all-feeds", help="For every feed.")]


@app.command("add")
def add(
    patterns: Patterns,
    feed: OneFeed = None,
    all_feeds: AllFeeds = False,
    take_over: Annotated[
        bool,
        typer.Option("--take-over", help="Even names that the feed has from an upstream."),
    ] = False,
) -> None:
    """Claim names, or patterns of names."""
    from bonded.model.names import Pattern

    with told():
        place, parsed = _place(feed, all_feeds), [Pattern.parse(p) for p in patterns]
        new = run(lambda f: _admin(f).add(place, parsed, take_over=take_over))
    for pattern in parsed:
        state = "claimed" if pattern in {c.pattern for c in new} else "was claimed already"
        say(f"{pattern.text}: {state} for {place or 'all feeds'}.")


@app.command("remove")
def remove(patterns: Patterns, feed: OneFeed = None, all_feeds: AllFeeds = False) -> None:
    """Give names up: they may come from an upstream again."""
    from bonded.model.names import Pattern

    with told():
        place, parsed = _place(feed, all_feeds), [Pattern.parse(p) for p in patterns]
        run(lambda f: _admin(f).remove(place, parsed))
    say(f"Given up for {place or 'all feeds'}: {', '.join(p.text for p in parsed)}.")


@app.command("list")
def list_(feed: OneFeed = None, all_feeds: AllFeeds = False, json: Json = False) -> None:
    """List the claims that hold in a feed, or all there are."""
    from bonded.model.names import FeedName

    place = FeedName(feed) if feed else None
    claims = run(lambda f: _admin(f).list(place))
    rows = [
        {"pattern": c.pattern.text, "feed": c.feed, "why": c.why, "at": c.at}
        for c in claims
        if not all_feeds or c.feed is None
    ]
    if not json:
        rows = [row | {"feed": row["feed"] or "all feeds"} for row in rows]
    table(rows, json, "No claims.")


def _place(feed: str | None, all_feeds: bool) -> FeedName | None:
    from bonded.model.names import FeedName
    from bonded.model.problems import BadInput

    if bool(feed) == all_feeds:
        raise BadInput("Say for whom: --feed F, or --all-feeds.", code="options")
    return FeedName(feed) if feed else None


def _admin(folder: Folder) -> ClaimAdmin:
    from bonded.operations.claims import ClaimAdmin

    return ClaimAdmin(folder.catalog, folder.catalog.clock, actor())
