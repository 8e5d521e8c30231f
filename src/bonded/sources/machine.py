"""What this machine's pip and uv are configured to use: their index, and whom they trust.

Only the default index counts. `extra-index-url` and `find-links` are how strangers' packages come
in, and are never taken over.
"""

from __future__ import annotations

import configparser
import os
import ssl
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from bonded.model.problems import Problem, Unavailable

_PIP_VARIABLES = ("PIP_INDEX_URL",)
_UV_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL")


def default_index(environment: Mapping[str, str] = os.environ) -> str:
    """The URL of this machine's default index, credentials and all: a secret, not to be printed.

    Variables come before files and pip before uv; where neither says anything it is the public
    index.
    """
    configured = (
        _first(environment, (*_PIP_VARIABLES, *_UV_VARIABLES))
        or _from_pip(environment, "index-url")
        or _from_uv(environment)
    )
    if configured:
        # UV_DEFAULT_INDEX may be written NAME=URL.
        name, glue, url = configured.partition("=")
        return _web(url if glue and "/" not in name else configured)
    from pypi_simple import PYPI_SIMPLE_ENDPOINT

    return str(PYPI_SIMPLE_ENDPOINT)


def _web(url: str) -> str:
    if url.startswith(("http://", "https://")):
        return url
    raise Unavailable(
        "The default index of this machine, as pip or uv is configured, is not a web address.",
        code="default-not-web",
        hint="Give the feed the URL of an index: bonded feed set NAME --upstream URL",
    )


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((environment[n].strip() for n in names if environment.get(n, "").strip()), None)


def _from_pip(environment: Mapping[str, str], option: str) -> str | None:
    for path in reversed(list(_pip_files(environment))):
        parser = configparser.RawConfigParser()
        # pip takes index_url for index-url.
        parser.optionxform = _option  # type: ignore[assignment,method-assign]
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue
        # pip: [install] and the like are for one command, [global] is for all.
        for section in ("install", "global"):
            value = parser.get(section, option, fallback="").strip()
            if value:
                return value
    return None


def _option(text: str) -> str:
    return text.lower().replace("_", "-")


def _pip_files(environment: Mapping[str, str]) -> Iterator[Path]:
    """pip's configuration files, weakest first (pip's documentation, "Configuration files")."""
    chosen = environment.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return
    home = Path(environment.get("HOME") or Path.home())
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    for folder in reversed((environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)):
        yield Path(folder) / "pip" / "pip.conf"
    yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    yield config / "pip" / "pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if chosen:
        yield Path(chosen)


def _from_uv(environment: Mapping[str, str]) -> str | None:
    if environment.get("UV_NO_CONFIG"):
        return None
    home = Path(environment.get("HOME") or Path.home())
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    chosen = environment.get("UV_CONFIG_FILE")
    places = [Path(chosen)] if chosen else [config / "uv" / "uv.toml", Path("/etc/uv/uv.toml")]
    for path in places:
        try:
            settings = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            continue
        found = _uv_index(settings)
        if found:
            return found
    return None


def _uv_index(settings: dict[str, object]) -> str | None:
    indexes = settings.get("index")
    for index in indexes if isinstance(indexes, list) else []:
        if isinstance(index, dict) and index.get("default") and isinstance(index.get("url"), str):
            return str(index["url"])
    plain = settings.get("index-url")
    return plain if isinstance(plain, str) else None


def trust(environment: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """Whom to trust: `SSL_CERT_FILE`, else pip's `cert`, else the system's own store."""
    named = _first(environment, ("SSL_CERT_FILE", "PIP_CERT")) or _from_pip(environment, "cert")
    if named is None:
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return ssl.create_default_context(cafile=named)
    except (OSError, ssl.SSLError) as error:
        raise Problem(
            f"The certificates in {named} cannot be read ({error}).",
            code="bad-certificates",
            hint="Set SSL_CERT_FILE to a PEM file, or unset it to use the system's store.",
        ) from None
