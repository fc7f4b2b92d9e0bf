"""One application on four modules: what each contract carried, and how. `make families` prints it as a table."""
