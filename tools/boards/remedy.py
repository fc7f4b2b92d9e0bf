"""What goes wrong between a desk and a board, as a sentence with its remedy."""


class Remedy(Exception):
    """One sentence: what was found, and what to do. The command ends with it and exit status 1."""
