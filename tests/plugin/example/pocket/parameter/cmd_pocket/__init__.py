"""Parameters of the tracker `cmd_pocket`: `default`, the newest distilled network, and one module a row."""
