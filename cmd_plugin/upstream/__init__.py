"""The plugin on an unmodified checkout of the stock toolkit: found, hooked and mended in memory, no file edited."""
