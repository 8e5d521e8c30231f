"""`bonded serve`: the server."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bonded.cli.common import say, told

if TYPE_CHECKING:
    from bonded.settings import Settings

METRICS = "metrics"


def serve(
    host: Annotated[
        str | None, typer.Option(help="The address to listen on. [default: 127.0.0.1]")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="The port; 0 takes a free one. [default: 8080]")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="How many processes serve. [default: 1]")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(metavar="PUBLIC_BASE", help="The URL by which clients reach it, if another."),
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    trusted_proxy: Annotated[
        bool | None,
        typer.Option("--trusted-proxy", help="Requests come through a proxy of ours, with TLS."),
    ] = None,
    access_log: Annotated[
        bool | None,
        typer.Option("--access-log/--no-access-log", help="Log a line for each request."),
    ] = None,
) -> None:
    """Serve the feeds of the data folder."""
    from bonded.settings import load

    with told():
        settings = load(
            host=host,
            port=port,
            workers=workers,
            url=url,
            tls_cert=tls_cert,
            tls_key=tls_key,
            trusted_proxy=trusted_proxy,
            access_log=access_log,
        )
        _check(settings)
        _serve(_with_port(settings))


def _check(settings: Settings) -> None:
    from bonded.model.problems import BadInput

    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise BadInput("TLS needs both --tls-cert and --tls-key.", code="tls")
    for path in (settings.tls_cert, settings.tls_key):
        if path is not None and not path.is_file():
            raise BadInput(f"{path} is not there.", code="tls")
    if settings.url and not settings.url.startswith(("http://", "https://")):
        raise BadInput("--url begins with http:// or https://", code="bad-url")


def _with_port(settings: Settings) -> Settings:
    """Take a free port where 0 was asked for, and find out early if one is taken."""
    from bonded.model.problems import Conflict

    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Conflict(
                f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}.",
                code="address-in-use",
                hint="Choose another --port (0 takes a free one).",
            ) from None
        return settings.model_copy(update={"port": probe.getsockname()[1]})


def _serve(settings: Settings) -> None:
    from bonded.app.folder import folder
    from bonded.cli.running import address, alone, base_url, socket_url, tidy_after

    with folder(settings.data) as opened:
        said = {"pid": os.getpid(), "port": settings.port, "url": settings.url or address(settings)}
        with alone(settings.data, said) as clean:
            left = tidy_after(opened, clean)
            if left is not None:
                say(f"The last server was interrupted; {left} leftovers removed.")
            _greet(settings, socket_url(settings, settings.host), base_url(settings))
            _run(settings)


def _greet(settings: Settings, place: str, base: str) -> None:
    count = f"{settings.workers} worker{'s' if settings.workers > 1 else ''}"
    say(f"Bonded serves {settings.data} and listens on {place} with {count}.")
    say(f"Indexes: {base}/FEED/simple/   Uploads: {base}/FEED/legacy/   Stop with Ctrl-C.")
    if not (_loopback(settings.host) or settings.tls_cert or settings.trusted_proxy):
        say(
            f"warning: {settings.host} is reachable from other machines, and tokens would travel"
            " unencrypted. Give --tls-cert and --tls-key, or --trusted-proxy behind a proxy that"
            " has TLS."
        )


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _run(settings: Settings) -> None:
    import multiprocessing

    from granian import Granian
    from granian.constants import HTTPModes, Interfaces, Loops
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    from bonded.web.quiet import LOGGING

    _hand_down(settings)
    # Not forked: a worker must share no lock, thread or connection with this process.
    multiprocessing.set_start_method("spawn", force=True)
    Granian(
        "bonded.app.worker:worker",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=30_000),
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        ssl_cert=settings.tls_cert,
        ssl_key=settings.tls_key,
        log_level=LogLevels.warning,
        log_dictconfig=LOGGING,
    ).serve()


def _hand_down(settings: Settings) -> None:
    """Settings reach the workers through the environment; there is no secret among them."""
    for name, value in settings.model_dump(exclude_none=True).items():
        os.environ[f"BONDED_{name.upper()}"] = str(value)
    os.environ["BONDED_PARENT"] = str(os.getpid())
    shutil.rmtree(settings.data / METRICS, ignore_errors=True)
    if settings.workers > 1:
        (settings.data / METRICS).mkdir()
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(settings.data / METRICS)
