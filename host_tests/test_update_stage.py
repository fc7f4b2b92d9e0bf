"""Field updates: what is accepted and what changes nothing; a power cut at every write of staging, applying and going back."""

import random

import swap
from fakes.flash import PowerCut
from fakes.store import Store
from fakes.update import KEY, TARGET, application, flash, hmac, package
import lwnode.update as staging
from lwnode.update import UpdateError, key_of, stage

OLD = {"/sensors.py": b"old sensors", "/lib/part.py": b"old part", "/lib/gone.mpy": b"to go", "/config.json": b"{}"}
WANTED = {"/sensors.py": b"new sensors" * 200, "/lib/part.mpy": b"new part", "/lib/deep/er/fresh.mpy": b"fresh",
          "/config.json": b"{}"}
NEW = {path: WANTED[path] for path in WANTED if path != "/config.json"}
NEW["/lib/gone.mpy"] = None
FAULTS = ("read", "write", "rename", "remove", "list", "mkdir")


def staged(version=7, content=None, counter=None):
    """A flash with a staged update."""
    files = flash(OLD, package(KEY, version, content or NEW))
    assert stage(KEY, TARGET, files, counter) == version
    return files


def boot(files):
    """What boot.py does."""
    found = swap.Swap(files)
    found.boot()
    return found


def refused(data, files=None, words="", **options):
    """Stage a package that must change nothing."""
    files = files or flash(OLD, data)
    before = application(files)
    try:
        stage(options.pop("key", KEY), TARGET, files, **options)
    except UpdateError as error:
        assert words in str(error), str(error)
    else:
        raise AssertionError("accepted")
    assert application(files) == before
    assert not swap.Swap(files).rows
    assert application(_booted(files)) == before


def _booted(files):
    boot(files)
    return files


# -- what is accepted --------------------------------------------------------------------------------------


def test_hmac_is_that_of_rfc_4231():
    # Test cases 1, 2 and 3, and 6 with a key longer than a block.
    for key, data, digest in (
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (b"\xaa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
    ):  # fmt: skip
        assert staging.hmac(key, (data[:9], data[9:])).hex() == digest


def test_a_staged_update_changes_nothing_until_the_next_boot_and_then_all():
    files = staged()
    assert application(files) == OLD
    found = boot(files)
    assert application(files) == WANTED
    assert found.state == "trial"


def test_the_key_is_the_own_one_or_comes_from_the_psk():
    assert key_of({"update_key": "00ff"}.get) == b"\x00\xff"
    assert key_of({"psk": "0011"}.get) == hmac(b"\x00\x11", b"lwnode update key")
    try:
        key_of({}.get)
        raise AssertionError
    except UpdateError as error:
        assert "update_key" in str(error)


def test_a_source_file_does_not_hide_its_new_mpy():
    # MicroPython looks for part.py before part.mpy.
    files = staged(content={"/lib/part.mpy": b"new part"})
    boot(files)
    assert "/lib/part.py" not in files.content and files.content["/lib/part.mpy"] == b"new part"
    both = {"/lib/part.py": b"new", "/lib/part.mpy": b"compiled"}  # wanted so
    files = flash({"/lib/part.py": b"", "/lib/part.mpy": b""}, package(KEY, 7, both))
    stage(KEY, TARGET, files)
    assert application(_booted(files)) == both


# -- what changes nothing ------------------------------------------------------------------------------------


def test_a_cut_package_changes_nothing_wherever_it_is_cut():
    data = package(KEY, 7, NEW)
    for length in list(range(400)) + list(range(400, len(data), 37)):
        refused(data[:length])


def test_a_forged_package_changes_nothing_whichever_byte_was_turned():
    data = package(KEY, 7, NEW)
    for at in list(range(300)) + list(range(300, len(data), 41)) + [len(data) - 1]:
        forged = bytearray(data)
        forged[at] ^= 1
        refused(bytes(forged))
    refused(package(b"another key", 7, NEW), words="not signed with this node's key")


def test_a_replayed_package_changes_nothing_also_after_it_was_taken_back_or_the_filesystem_was_lost():
    counter = Store()
    files = staged(7, counter=counter)
    boot(files).cycle(True)
    for version in (7, 6):
        files.content["/update/package"] = package(KEY, version, NEW)
        refused(None, files, "was here before")
    counter = Store()
    files = staged(7, counter=counter)
    boot(files)
    for _ in range(4):
        boot(files).begin()
    assert application(files) == OLD
    files.content["/update/package"] = package(KEY, 7, NEW)
    refused(None, files, "was here before")
    refused(package(KEY, 7, NEW), words="was here before", counter=counter)


def test_a_package_without_room_changes_nothing_and_leaves_nothing():
    refused(package(KEY, 7, NEW), words="KB are needed", spare=4)
    files = flash(OLD, package(KEY, 7, NEW))
    files.full = True
    refused(None, files, "the flash is full")
    assert [path for path in files.content if path.startswith("/update")] == []


def test_room_is_counted_in_blocks_and_what_runs_out_of_it_is_removed():
    """Issue 15, C: 40 files of 620 bytes passed with 160 KB free and filled the flash; folders take two blocks each."""
    many = {"/lib/%s/%d.mpy" % ("abcdef"[number % 6], number): b"x" * 620 for number in range(40)}
    many["/lib/big.mpy"] = b"small now"
    old = dict(OLD)
    old["/lib/big.mpy"] = b"x" * 160000  # its copy lies beside it for a while
    data = package(KEY, 7, many)
    known = flash(old, data)
    known.blocks = 1000
    before = known.used()
    stage(KEY, TARGET, known)
    boot(known)
    most = known.used() - before
    for free in range(1, most + 60, 2):
        for told in (True, False):
            files = flash(old, data)
            files.blocks = before + free
            try:
                stage(KEY, TARGET, files, spare=free if told else None)
            except UpdateError as error:
                assert error.result == 50, error
                assert [path for path in files.content if path.startswith("/update/")] == [] and application(files) == old
                continue
            boot(files)
            assert application(files) != old or not told, ("it was said to fit", free)
            if application(files) == old:
                assert swap.read(files, swap.LAST) == "7 rolled back"
    assert application(files) != old


def test_what_is_no_package_for_this_node_changes_nothing_and_is_told():
    refused(package(KEY, 7, NEW) + b"x", words="too long")
    refused(package(KEY, 7, NEW, "RPI_PICO/bc66"), words="this node is ESP32_GENERIC/bc66")
    refused(None, flash(OLD), "there is no package")
    files = flash(OLD, package(KEY, 7, NEW))
    files.fault = lambda kind, path: -5 if kind == "rename" and path == swap.PLAN else 0  # the plan is there all the same
    refused(None, files, "nothing has changed")


def test_the_way_back_secrets_and_what_would_hide_a_module_of_the_firmware_cannot_be_brought():
    for path in ("/main.py", "/boot.py", "/swap.mpy", "/swap/__init__.py", "/secrets.json", "/update/plan.json",
                 "/state/x.json", "lib/x.py", "/lib/../main.py", "/lib//x.py", "/lib/.x.py", "/lib/a b.py", "/protected.0",
                 "/lib/x.so", "/Main.py", "/BOOT.mpy", "/Secrets.json", "/UPDATE/x.py", "/os.py", "/lib/os.py", "/LIB/os.py",
                 "/lib/OS.mpy", "/os/__init__.py", "/lib/os/any.py", "/uos.py", "/binascii.mpy", "/lib/ubinascii.py", "/gc.py",
                 "/lib/io.py", "/usys.py", "/machine.py", "/lib/micropython.mpy", "/vfs.py", "/_boot.py", "/lib/swap.py",
                 "/lib/main.py", "/fsboot.py", "/py", "/.py", "/lib/.py"):  # fmt: skip
        refused(package(KEY, 7, {path: b"x"}), words="cannot be part of an update")
    refused(package(KEY, 7, {"/lib/Part.py": b"x", "/lib/part.py": b"y"}), words="does not fit")
    data = bytearray(package(KEY, 7, {"/lib/part.py": b"content"})[:-32])
    data[15 + len(TARGET) + 2 + 12] -= 1  # of its size
    refused(bytes(data) + hmac(KEY, bytes(data)), words="does not fit")
    files = flash(OLD, package(KEY, 7, {"/lib/lwnode/update/__init__.mpy": b"x", "/osmosis.py": b"x", "/domain.py": b"x"}))
    assert stage(KEY, TARGET, files) == 7


def test_a_file_that_frozen_code_would_hide_is_refused():
    for path in ("/lib/lwnode/at/client.mpy", "/LIB/Lwnode/at/client.mpy"):
        refused(package(KEY, 7, {path: b"x"}), words="frozen", frozen=True)
    files = flash(OLD, package(KEY, 7, {"/sensors.py": b"x"}))
    assert stage(KEY, TARGET, files, frozen=True) == 7


def test_one_update_at_a_time():
    files = staged()
    files.content["/update/package"] = package(KEY, 8, {"/sensors.py": b"newer"})
    try:
        stage(KEY, TARGET, files)
        raise AssertionError
    except UpdateError as error:
        assert "on trial" in str(error)
    boot(files).cycle(True)
    assert stage(KEY, TARGET, files) == 8


# -- trial ---------------------------------------------------------------------------------------------------


def test_a_cycle_that_reached_the_server_keeps_it():
    files = staged()
    found = boot(files)
    found.begin()
    assert found.cycle(None) is False and swap.Swap(files).state == "trial"
    assert found.cycle(True) is False
    assert application(_booted(files)) == WANTED
    assert swap.read(files, swap.LAST) == "7 kept"
    assert [path for path in files.content if path.startswith("/update/")] == ["/update/last"], "nothing takes room"


def test_three_starts_without_a_completed_cycle_go_back():
    files = staged()
    for _ in range(3):
        boot(files).begin()
        assert application(files) == WANTED
    boot(files).begin()
    assert application(files) == OLD
    assert swap.read(files, swap.LAST) == "7 rolled back"
    assert [path for path in files.content if path.startswith("/update/")] == ["/update/last"]


def test_cable_sessions_that_do_not_run_main_do_not_count():
    files = staged()
    for _ in range(10):
        boot(files)
    assert application(files) == WANTED and swap.Swap(files).starts == 0


def test_completed_cycles_begin_the_count_of_starts_anew():
    files = staged()
    for _ in range(12):
        found = boot(files)
        found.begin()
        found.cycle(None)
    assert application(files) == WANTED


def test_six_silent_contacts_go_back_with_a_restart():
    files = staged()
    for number in range(6):
        found = boot(files)
        found.begin()
        assert found.cycle(False) is (number == 5)
    assert application(_booted(files)) == OLD


# -- power cuts (each program and erase, alone and in pairs: test_update_cuts) and what a flash does wrong ----------


def test_a_supply_that_gives_out_at_the_fifth_write_of_each_boot_gets_there():
    files = staged()
    while True:
        files.cut_at = files.operations + 5
        try:
            boot(files)
            break
        except PowerCut:
            files = files.after_cut()
    assert application(files) == WANTED


def bad():
    """A flash on which the next start of main.py goes back."""
    files = staged()
    for _ in range(3):
        boot(files).begin()
    return files


def test_an_old_copy_that_rots_is_told_and_nothing_else_is_lost():
    files = bad()
    files.rot("/update/old/3")
    kept = [row.split(" ")[0] for row in swap.Swap(files).rows][3]
    boot(files).begin()
    assert swap.read(files, swap.LAST) == "7 incomplete"
    found = application(files)
    assert found.pop(kept, None) == WANTED.get(kept) and found == {path: OLD[path] for path in OLD if path != kept}


def spoiling(files, folder):
    """The flash, which now changes what is written below a folder."""
    put = files.put
    files.put = lambda path, data: put(path, data[1:] if path.startswith(folder) else data)
    return files


def test_a_piece_that_arrives_spoilt_is_refused_and_nothing_is_replaced_that_has_no_good_copy():
    refused(None, spoiling(flash(OLD, package(KEY, 7, NEW)), "/update/new/"), "did not arrive")
    files = spoiling(staged(), "/update/old/")
    boot(files)
    assert application(files) == OLD and swap.read(files, swap.LAST) == "7 rolled back"


def test_an_update_that_finds_no_room_any_more_goes_back_and_ends():
    files = staged()
    files.blocks = files.used()
    boot(files)
    assert application(files) == OLD and swap.read(files, swap.LAST) == "7 rolled back" and not swap.Swap(files).rows


def test_what_a_cut_has_left_of_the_last_update_says_nothing_of_the_next():
    for state in ("kept", "undo", "trial"):
        files = flash(OLD, package(KEY, 7, NEW))
        swap.write(files, swap.TRIAL, "6,%s,3,0" % state)
        stage(KEY, TARGET, files)
        assert boot(files).state == "trial" and application(files) == WANTED


def test_a_file_that_rots_in_the_trial_is_not_kept():
    files = _booted(staged())
    files.rot("/sensors.py")
    found = boot(files)
    assert found.cycle(True) is True and application(_booted(files)) == OLD
    assert swap.read(files, swap.LAST) == "7 rolled back"


def test_errors_of_the_flash_let_no_mixture_run():
    """Any operation fails now and then, before or after it was done; main.py rests where swap.begin() raises."""
    ended = {}
    for seed in range(150):
        random.seed(seed)
        files = staged()
        files.fault = lambda kind, path: random.choice((5, -5)) if kind in FAULTS and random.random() < 0.01 else 0
        for _ in range(30):
            swap.current = None
            try:
                swap.boot(files)
            except OSError:
                pass
            try:
                swap.begin()
            except OSError:
                continue
            assert application(files) in (OLD, WANTED), (seed, application(files))
            if seed % 2:
                swap.cycle(seed % 3 > 0)
            if "/update/plan" not in files.content:
                break
        files.fault = None
        how = swap.read(files, swap.LAST)
        assert application(files) == (WANTED if how == "7 kept" else OLD) and how in ("7 kept", "7 rolled back"), (seed, how)
        ended[how] = ended.get(how, 0) + 1
    assert len(ended) == 2, ended


def test_a_rotten_plan_or_trial_is_not_followed():
    files = staged()
    files.rot(swap.PLAN)
    boot(files)
    assert application(files) == OLD
    files = _booted(staged())
    files.rot(swap.TRIAL)
    assert boot(files).state == "trial"
    assert application(files) == WANTED
