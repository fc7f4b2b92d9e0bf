"""LwM2M over AT: a sensor node for cellular modules with an LwM2M client of their own."""
