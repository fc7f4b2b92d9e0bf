"""Frozen in place of MicroPython's own on ESP32: see fsboot for what it does otherwise."""

import gc

import fsboot
import vfs
from flashbdev import bdev

if bdev:
    fsboot.mount(bdev, vfs.VfsLfs2.mkfs)

gc.collect()
