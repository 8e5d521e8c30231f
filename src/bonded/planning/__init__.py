"""Plans: questions asked of an index and a platform runtime."""
