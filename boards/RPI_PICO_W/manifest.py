# ruff: noqa: F821
# Everything frozen for RPI_PICO_W. The port's own manifest is not included whole: it freezes an _boot.py of its
# own, and two modules of one name do not link. What is left out of it (networking, asyncio) a node does not use.
include("../common/manifest.py")
module("board.py", base_path=".", opt=3)
module("_boot.py", base_path="../rp2", opt=3)
freeze("$(PORT_DIR)/modules", ("rp2.py",))
