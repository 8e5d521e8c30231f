"""Where bytes are kept, and where they are received."""
