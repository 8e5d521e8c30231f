"""`bonded audit`: who did what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from bonded.cli.common import Json, run, table, told

app = typer.Typer(help="Who did what.", no_args_is_help=True)


@app.callback()
def _audit() -> None:
    """Keep `list` a command of its own."""


@app.command("list")
def list_(
    since: Annotated[
        str | None, typer.Option(help="A length of time (7d, 12h) or a date (2026-01-31).")
    ] = None,
    feed: Annotated[
        str | None, typer.Option("--feed", metavar="F", help="Only of this feed.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 1000,
    json: Json = False,
) -> None:
    """List what was done, oldest first."""
    from bonded.model.names import FeedName

    with told():
        start = _moment(since) if since else None
        place = FeedName(feed) if feed else None
        events = run(lambda f: f.catalog.read(lambda tx: tx.audit.read(start, place, limit)))
    rows: list[dict[str, object]] = [
        {
            "at": e.at if json else f"{e.at:%Y-%m-%d %H:%M:%S}",
            "actor": e.actor,
            "action": e.action,
            "feed": e.feed,
            "subject": e.subject,
            "detail": e.detail,
        }
        for e in events
    ]
    table(rows, json, "Nothing was done.")


def _moment(text: str) -> datetime:
    from bonded.model.problems import BadInput
    from bonded.model.tokens import span

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        length = span(text)
        if length is None:
            raise BadInput("'never' is not a time to list from.", code="bad-since") from None
        return datetime.now(UTC) - length
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
