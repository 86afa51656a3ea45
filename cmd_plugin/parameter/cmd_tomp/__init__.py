"""Parameters of `cmd_tomp`: `default`, the newest distilled network, and one module a row of Table 1."""
