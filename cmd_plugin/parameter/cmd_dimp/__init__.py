"""Parameters of the tracker `cmd_dimp`: `default`, the newest distilled network, and one module a row of Table 1."""
