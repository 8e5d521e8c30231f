"""`bonded token`: mint, list and revoke tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bonded.cli.common import Json, actor, as_json, run, say, table, told

if TYPE_CHECKING:
    from bonded.model.tokens import Token

app = typer.Typer(help="Tokens: mint, list, revoke.", no_args_is_help=True)


@app.command("create")
def create(
    feed: Annotated[
        list[str],
        typer.Option("--feed", metavar="F", help="For this feed; may be given several times."),
    ],
    scope: Annotated[str, typer.Option(help="read, write or manage.")] = "read",
    expires: Annotated[str, typer.Option(help="After how long: 30d, 12h, 52w, or never.")] = "30d",
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    json: Json = False,
) -> None:
    """Mint a token. It is printed once, on a line of its own, and kept nowhere."""
    from bonded.model.names import FeedName
    from bonded.model.tokens import Scope, span
    from bonded.operations.tokens import TokenAdmin

    with told():
        wanted, lifetime = Scope.parse(scope), span(expires)
        feeds = [FeedName(name) for name in feed]
        name = label or f"{wanted} on {', '.join(feed)}"
        text, token = run(
            lambda f: TokenAdmin(f.catalog, f.catalog.clock, actor()).create(
                feeds, wanted, lifetime, name
            )
        )
    if json:
        as_json({"token": text} | _row(token))
        return
    typer.echo(text)
    until = f"until {token.expires:%Y-%m-%d %H:%M} UTC" if token.expires else "for ever"
    say(f"Token {token.id} ({token.label}): {scope} on {', '.join(feed)}, {until}.")
    say("This is the only time it is shown. It is the password, with any username.")


@app.command("list")
def list_(json: Json = False) -> None:
    """List the tokens, never their text."""
    from bonded.operations.tokens import TokenAdmin

    tokens = run(lambda f: TokenAdmin(f.catalog, f.catalog.clock, actor()).all())
    table([_row(t) for t in tokens], json, "No tokens yet. Mint one: bonded token create --feed F")


@app.command("revoke")
def revoke(
    which: Annotated[str, typer.Argument(help="A token's number, its label, or its text.")],
) -> None:
    """Make a token worthless at once, on every worker."""
    from bonded.operations.tokens import TokenAdmin

    token = run(lambda f: TokenAdmin(f.catalog, f.catalog.clock, actor()).revoke(which))
    say(f"Token {token.id} ({token.label}) is revoked.")


def _row(token: Token) -> dict[str, object]:
    return {
        "id": token.id,
        "label": token.label,
        "scope": str(token.scope),
        "feeds": list(token.feeds),
        "created": token.created,
        "expires": token.expires,
        "revoked": token.revoked,
    }
