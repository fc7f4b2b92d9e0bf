"""A node's years in minutes: the unchanged lib/ and firmware/ on models of board, module, network and server.

    make simulate DAYS=365 PORT=rp2 FAMILY=bc66 FAULTS=default SEED=1

    from testing.simulate.simulation import Simulation
    simulation = Simulation("esp32", "bc66", seed=1)
    simulation.live(30)                 # days
    simulation.ledger.verdict()         -> [] or what is wrong, a sentence each

Bottom up: host_tests/fakes (clock, chips, flash, a world of one node), `faults` (what goes wrong when), `ledger` (the
account of every reading), `simulation` (life after life), `charge` (where it goes), `report` (tables), `sabotage` (one
protection off, to see the run fail).
"""
