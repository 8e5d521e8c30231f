"""Real clients as subprocesses, on machines of their own, against a server of their own."""
