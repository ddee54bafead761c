"""What runs in the worker process; it imports nothing of turnkey, and is loaded by its path."""
