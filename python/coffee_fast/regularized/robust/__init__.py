"""What play is worth if the model is a little wrong, and play that is best then."""
