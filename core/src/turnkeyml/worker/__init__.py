"""Measuring in a process of its own: what is started by path, and what starts it."""
