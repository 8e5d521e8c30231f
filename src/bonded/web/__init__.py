"""HTTP: requests to operations, and what comes back to bytes. Nothing here knows an adapter."""
