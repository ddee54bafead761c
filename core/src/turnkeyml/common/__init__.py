"""Names that documents print, for what is elsewhere."""
