"""What a node costs, measured on every change: heap, bytecode, exchanges, flash writes. `python -m tools.bench`."""
