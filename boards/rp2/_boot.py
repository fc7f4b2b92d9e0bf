"""Frozen in place of MicroPython's own on RP2: see fsboot for what it does otherwise.

The last two sectors stay outside the filesystem: they are the protected store (lwnode.board.rp2), the backup copy of
what a node needs to reach its server. So a filesystem of the stock firmware does not mount here, nor the other way round:
littlefs checks the size it was made for. Deploy again after changing between the two.
"""

import fsboot
import rp2
import vfs

_RESERVED = 2 * 4096

_flash = rp2.Flash()
_size = _flash.ioctl(4, 0) * _flash.ioctl(5, 0) - _RESERVED
# The flash is programmed in pages of 256 bytes.
fsboot.mount(rp2.Flash(start=0, len=_size), lambda device: vfs.VfsLfs2.mkfs(device, progsize=256), progsize=256)

del _flash, _size
