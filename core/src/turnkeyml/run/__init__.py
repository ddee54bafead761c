"""Runtimes, by the name that documents print; they are in `turnkeyml.runtime`."""
