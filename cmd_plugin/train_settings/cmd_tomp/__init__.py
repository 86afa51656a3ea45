"""Train settings of CMD-ToMP: one module a row of Table 1, told apart by their names alone."""
