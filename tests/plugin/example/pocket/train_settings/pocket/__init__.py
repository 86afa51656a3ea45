"""Train settings of the tracker itself, on labelled RGB video."""
