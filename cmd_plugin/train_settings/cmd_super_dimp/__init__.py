"""Train settings of CMD-SuperDiMP: one module a row of Table 1, told apart by their names alone."""
