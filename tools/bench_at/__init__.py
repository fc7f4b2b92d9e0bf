"""What the AT driver costs, measured. `make bench-at`."""
