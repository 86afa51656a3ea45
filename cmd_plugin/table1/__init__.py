"""Table 1 of the paper: every row trained by its name, tracked, and shown beside the published figures."""
