"""What stands in for the world: virtual modules, a board on the host, an LwM2M server and links, the simulation."""
