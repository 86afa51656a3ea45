"""Parameters of the tracker `cmd_dimp`."""
