"""The catalog's migrations, in order."""
