"""Train settings of CMD-KYS: one module a row of Table 1, told apart by their names alone."""
