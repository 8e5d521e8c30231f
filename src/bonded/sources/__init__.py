"""Indexes on other machines, and where this machine says they are."""
