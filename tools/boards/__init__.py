"""From a folder to a board: list, flash, deploy, provision, image. `make boards` and its relations; see __main__.py."""
