"""Values: what the other rooms speak of. No I/O, and nothing here imports another room."""
