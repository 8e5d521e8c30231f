"""What the tests share: distributions made on the spot, an upstream that can misbehave, a server."""
