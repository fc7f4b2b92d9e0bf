"""The rows of the four manuals, and whether drivers and virtual modems carry them."""
