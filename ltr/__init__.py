"""Training side of the toolkit: data, models, actors, trainers and the stock train settings."""
