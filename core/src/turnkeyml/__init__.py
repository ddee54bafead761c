"""turnkey: carry a machine-learning model, unchanged, through a chain of tools."""
