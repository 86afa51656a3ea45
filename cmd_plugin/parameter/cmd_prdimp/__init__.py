"""Parameters of `cmd_prdimp`: `default`, the newest distilled network, and one module a row of Table 1."""
