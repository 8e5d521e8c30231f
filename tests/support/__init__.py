"""What the tests share: distributions, an upstream that can misbehave, a server."""
