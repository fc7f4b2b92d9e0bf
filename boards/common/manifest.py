# ruff: noqa: F821
# The application, frozen: lib/ and firmware/ run from flash and leave RAM free (560 bytes a module instead of 3 KB).
# Included by boards/NAME/manifest.py; build MicroPython with FROZEN_MANIFEST=<this repository>/boards/NAME/manifest.py.
#
# A frozen boot.py or main.py runs before one on the filesystem (MicroPython shared/runtime/pyexec.c). Imports look in /, then
# here, then in /lib (sys.path): a deployed sensors.py or board.py takes the place of the frozen one, /lib/lwnode never does.
metadata(description="LwM2M over AT: sensor node", version="0.1.0")

package("lwnode", base_path="../../lib", opt=3)
module("boot.py", base_path="../../firmware", opt=3)
module("main.py", base_path="../../firmware", opt=3)
module("life.py", base_path="../../firmware", opt=3)
module("sensors.py", base_path="../../firmware", opt=3)
module("sht3x.py", base_path="../../firmware", opt=3)
module("shell.py", base_path="../../firmware", opt=3)
module("doctor.py", base_path="../../firmware", opt=3)
module("swap.py", base_path="../../firmware", opt=3)
module("words.py", base_path="../../firmware", opt=3)
module("fsboot.py", base_path=".", opt=3)
# micropython-lib's drivers that rows of lwnode.drivers wrap: three stand in the ports' manifests, which are not included here.
require("onewire")
require("ds18x20")
require("dht")
require("hts221")
require("lps22h")
