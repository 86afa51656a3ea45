"""Train settings of CMD-PrDiMP: one module a row of Table 1, told apart by their names alone."""
