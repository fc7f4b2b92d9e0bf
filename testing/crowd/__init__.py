"""Many virtual nodes in one process and one event loop, each with the node's own objects (lib/) over a light LwM2M client."""
