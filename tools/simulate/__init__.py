"""A node's years in minutes: the unchanged lib/ and firmware/ on models of the board, the module, the network and the server."""
