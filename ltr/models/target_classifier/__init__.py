"""Target classifier: feature head, model predictor, filter application."""
