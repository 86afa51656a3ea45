"""Parameters of `cmd_kys`: `default`, the newest distilled network, and one module a row of Table 1."""
