"""The verbs. They see ports, never adapters."""
