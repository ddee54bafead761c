"""The turnkey report format `html`: one file that works offline."""
