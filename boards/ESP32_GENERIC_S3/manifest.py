# ruff: noqa: F821
# Everything frozen for ESP32_GENERIC_S3. The port's own manifest is not included whole: it freezes an _boot.py of
# its own, and two modules of one name do not link. What is left out of it (networking, asyncio) a node does not
# use.
include("../common/manifest.py")
module("board.py", base_path=".", opt=3)
module("_boot.py", base_path="../esp32", opt=3)
freeze("$(PORT_DIR)/modules", ("flashbdev.py",))
