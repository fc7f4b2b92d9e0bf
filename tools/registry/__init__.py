"""Object definitions in XML -> the compact table that a board carries."""
