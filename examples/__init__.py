"""Bonded at work: `make demo` runs `examples.demo`."""
