"""Train settings of CMD-Pocket: one module a row, told apart by their names alone."""
