"""Our own format of a runtime: JSON, a package a line, so that changes of it can be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from packaging.utils import NormalizedName

from bonded.model.problems import Problem
from bonded.model.runtimes import (
    Confidence,
    Installed,
    Nature,
    Origin,
    Platform,
    Runtime,
    python_version,
)
from bonded.planning.runtimes.gather import pep440

FORMAT = 1


def write(runtime: Runtime) -> str:
    """The runtime as it is stored."""
    head = {
        "bonded-runtime": FORMAT,
        "name": runtime.name,
        "title": runtime.title,
        "python": str(runtime.python),
        "platform": str(runtime.platform),
        "prefers": str(runtime.prefers) if runtime.prefers else None,
        "source": runtime.source,
        "warnings": list(runtime.warnings),
    }
    lines = [f" {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}," for k, v in head.items()]
    rows = ",\n".join(f"  {_row(i)}" for i in runtime.installed)
    return "\n".join(["{", *lines, ' "installed": [', *([rows] if rows else []), " ]", "}", ""])


def _row(package: Installed) -> str:
    more = {
        "extras": package.extras,
        "requires": package.requires,
        "known_metadata": package.known_metadata,
        "note": package.note,
    }
    told = {k: v for k, v in more.items() if v}
    kinds = (package.origin, package.nature, package.confidence)
    row = [package.name, package.text, *kinds, *([told] if told else [])]
    return json.dumps(row, ensure_ascii=False)


def read(text: str, what: str) -> Runtime:
    """The runtime out of what was stored. Raises `Problem` if that is damaged or newer."""
    try:
        document = json.loads(text)
        if document["bonded-runtime"] > FORMAT:
            raise Problem(
                f"{what} was written by a newer version of Bonded.",
                code="newer-runtime",
                hint="Upgrade bonded, or import it again.",
            )
        return _runtime(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(
            f"{what} is damaged ({type(error).__name__}).",
            code="damaged-runtime",
            hint="Remove it, and import the runtime again.",
        ) from None


def _runtime(document: Mapping[str, Any]) -> Runtime:
    prefers = document["prefers"]
    return Runtime(
        name=document["name"],
        title=document["title"],
        python=python_version(document["python"]),
        platform=Platform.parse(document["platform"]),
        prefers=Platform.parse(prefers) if prefers else None,
        source=document["source"],
        warnings=tuple(document["warnings"]),
        installed=tuple(_installed(*row) for row in document["installed"]),
    )


def _installed(
    name: str,
    text: str,
    origin: str,
    nature: str,
    confidence: str,
    more: Mapping[str, Any] | None = None,
) -> Installed:
    more = more or {}
    return Installed(
        name=NormalizedName(name),
        text=text,
        version=None if nature == Nature.NATIVE else pep440(text),
        origin=Origin(origin),
        nature=Nature(nature),
        confidence=Confidence(confidence),
        extras=tuple(more.get("extras", ())),
        requires=tuple(more.get("requires", ())),
        known_metadata=bool(more.get("known_metadata")),
        note=more.get("note"),
    )
