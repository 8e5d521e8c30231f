"""Bonded: Python packages for compute that cannot, or must not, reach the public index."""

__version__ = "0.1.0"
