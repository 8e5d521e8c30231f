"""`bonded`: the nouns and verbs, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from bonded.cli import audit, claim, feed, look, plan, release, runtime, serve, token

app = typer.Typer(
    name="bonded",
    help="Private Python package feeds for compute that cannot, or must not, reach the public"
    " index.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from bonded import __version__

        typer.echo(f"bonded {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    data: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            envvar="BONDED_DATA",
            help="The data folder; made if missing. [default: ./bonded-data]",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    # `bonded.cli.main` has taken --data out of the line; it stands here for --help.
    del data, version


app.command("serve")(serve.serve)
app.add_typer(feed.app, name="feed")
app.add_typer(token.app, name="token")
app.add_typer(claim.app, name="claim")
app.command("upload")(release.upload)
app.command("yank")(release.yank)
app.command("unyank")(release.unyank)
app.command("delete")(release.delete)
app.add_typer(release.project, name="project")
app.command("index-url")(look.index_url)
app.command("explain")(look.explain)
app.command("check")(look.check)
app.command("plan")(plan.plan)
app.add_typer(audit.app, name="audit")
app.add_typer(runtime.app, name="runtime")
