"""Greets in Acme's own words."""

__version__ = "1.0"


def greeting(name: str = "world") -> str:
    """The greeting."""
    return f"Hello {name}, says Acme."


def main() -> None:
    """Greet on the terminal, in colour."""
    from rich.console import Console

    Console().print(f"[bold green]{greeting()}[/]")
