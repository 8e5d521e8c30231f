"""Platform runtimes: read out of the files that describe them, shipped, compared and kept."""
