"""The check of every stage against what the model itself returns."""
