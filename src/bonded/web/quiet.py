"""Keeps the HTTP server from telling again, with a traceback, what the journal has noted."""

from __future__ import annotations

import logging
from typing import Any


class Quiet(logging.Filter):
    """Drops the server's report of an answer that was cut off on purpose."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to keep a record."""
        return "Application callable raised" not in record.getMessage()


_HANDLER = {
    "class": "logging.StreamHandler",
    "formatter": "generic",
    "filters": ["quiet"],
    "stream": "ext://sys.stderr",
}
#: What is given to the HTTP server to set up its logging with.
LOGGING: dict[str, Any] = {
    "filters": {"quiet": {"()": "bonded.web.quiet.Quiet"}},
    "handlers": {"console": _HANDLER, "access": _HANDLER},
}
