"""The named sequences of turnkey."""
