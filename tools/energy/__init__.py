"""make energy: how long a battery lasts with a configuration, board and module, and where its charge goes.

The times are no guesses: the unchanged firmware lives three quiet days on the models (testing/simulate), and its times awake,
the module's and the radio's are multiplied with typical currents (lwnode.features.usage), whose sources are shown.
"""
