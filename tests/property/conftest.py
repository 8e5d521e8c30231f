"""Property tests: the same examples every time, unless HYPOTHESIS_PROFILE=search looks for more."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much]
settings.register_profile(
    "ci", max_examples=150, deadline=None, derandomize=True, suppress_health_check=SLOW
)
settings.register_profile("search", max_examples=3000, deadline=None, suppress_health_check=SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
