"""LwM2M over AT: a sensor node for cellular modules with an LwM2M client of their own."""

VERSION = "0.1.0"  # the one place: everything else that names it is held against this
