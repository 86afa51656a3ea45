"""Train settings of CMD-ATOM: one module a row of Table 1, told apart by their names alone."""
