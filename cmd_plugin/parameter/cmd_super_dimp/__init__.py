"""Parameters of `cmd_super_dimp`: `default`, the newest distilled network, and one module a row of Table 1."""
