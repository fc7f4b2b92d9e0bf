"""Journal, FileStore and RetainedState: what was put in comes out, whole, or is counted."""

from fakes.flash import FlashFiles, Memory, broken, errors

from lwnode.power import FileStore, Journal, RetainedState, TwinStore
from lwnode.update import blocks_of, free_blocks, spare_blocks


def _esp32(files=None, memory=None, **options):
    cold = FileStore("/state", files or FlashFiles())
    state = RetainedState(memory or Memory(2040), 1, cold)
    return Journal(state, cold, **options), state, cold


def _rp2(files=None, **options):
    cold = FileStore("/state", files or FlashFiles())
    return Journal(None, cold, **options), cold


def test_entries_come_oldest_first_and_go_on_acknowledgement_only():
    journal, _ = _rp2()
    numbers = [journal.append(b"r%d" % i) for i in range(5)]
    assert [data for _, data in journal.entries()] == [b"r0", b"r1", b"r2", b"r3", b"r4"]
    journal.remove(numbers[1:3])
    assert [data for _, data in journal.entries(2)] == [b"r0", b"r3"]
    assert len(journal) == 3


def test_rtc_memory_keeps_entries_without_a_flash_write():
    files, memory = FlashFiles(), Memory(2040)
    journal, _, _ = _esp32(files, memory)
    for i in range(5):
        journal.append(b"reading %d" % i)
    assert files.saves == 0
    again, _, _ = _esp32(files, memory)
    assert [data for _, data in again.entries()] == [b"reading %d" % i for i in range(5)]
    assert again.next_number == journal.next_number


def test_a_full_batch_goes_to_flash_and_survives_power_loss():
    files = FlashFiles()
    journal, _, _ = _esp32(files, Memory(2040), batch=4)
    for i in range(4):
        journal.append(b"reading %d" % i)
    assert journal.exposed == 4
    assert journal.flush()
    assert journal.exposed == 0
    journal.append(b"exposed")
    after_loss, _, _ = _esp32(files, Memory(2040), batch=4)
    assert [data for _, data in after_loss.entries()] == [b"reading %d" % i for i in range(4)]


def test_what_does_not_fit_into_rtc_memory_is_on_flash_at_once():
    files, memory = FlashFiles(), Memory(512)
    journal, state, _ = _esp32(files, memory, batch=1000)
    for i in range(60):
        journal.append(b"%030d" % i)
    again, _, _ = _esp32(files, memory, batch=1000)
    assert [int(data) for _, data in again.entries()] == list(range(60))


def test_no_flash_write_while_contacts_succeed():
    files = FlashFiles()
    journal, _ = _rp2(files, batch=8)
    for _ in range(100):
        seq = journal.append(b"reading")
        journal.remove([seq])
        journal.flush()
    assert files.saves == 0


def test_segments_are_shared_by_batches_and_acknowledged_in_part():
    files = FlashFiles()
    journal, cold = _rp2(files, batch=4)
    for i in range(40):
        journal.append(b"%020d" % i)
        journal.flush()
    assert len(cold.names("j")) == 2
    first = [seq for seq, _ in journal.entries(10)]
    journal.remove(first)
    journal.remove(first)
    journal.flush()
    again, _ = _rp2(files, batch=4)
    assert [int(data) for _, data in again.entries()] == list(range(10, 40))
    again.remove([seq for seq, _ in again.entries()])
    assert len(again) == 0
    assert cold.names("j") == []


def test_removing_an_unknown_or_removed_number_loses_nothing():
    journal, _ = _rp2(batch=1)
    numbers = []
    for i in range(6):
        numbers.append(journal.append(b"%d" % i))
    journal.flush()
    journal.remove(numbers[1:4])
    journal.flush()
    journal.remove(numbers[1:4])
    journal.remove([9999, 0])
    journal.remove(numbers[:1])
    assert [data for _, data in journal.entries()] == [b"4", b"5"]


def test_oldest_are_dropped_above_the_limit_and_counted():
    files = FlashFiles()
    journal, _ = _rp2(files, limit_bytes=4096, batch=4)
    for i in range(400):
        journal.append(b"%030d" % i)
        journal.flush()
    assert journal.size <= 4096
    kept = [int(data) for _, data in journal.entries()]
    assert kept == list(range(400 - len(kept), 400))
    assert journal.dropped == 400 - len(kept)
    again, _ = _rp2(files, limit_bytes=4096, batch=4)
    assert again.dropped == journal.dropped


def test_a_rotten_segment_is_counted_and_does_not_hold_up_the_rest():
    files = FlashFiles()
    journal, cold = _rp2(files, batch=1)
    for i in range(60):
        journal.append(b"%030d" % i)
        journal.flush()
    files.rot("/state/" + cold.names("j")[0])
    again, _ = _rp2(files, batch=1)
    kept = [int(data) for _, data in again.entries()]
    assert kept == list(range(60 - len(kept), 60))
    assert again.damaged == 60 - len(kept)
    assert 0 < len(kept) < 60


def test_full_flash_keeps_the_newest_in_ram_and_counts():
    files = FlashFiles()
    files.full = True
    journal, _ = _rp2(files, batch=4)
    for i in range(300):
        journal.append(b"%030d" % i)
        journal.flush()
    kept = [int(data) for _, data in journal.entries()]
    assert kept == list(range(300 - len(kept), 300))
    assert len(kept) > 50
    assert journal.dropped == 300 - len(kept)
    files.full = False
    assert journal.flush()
    assert journal.exposed == 0


def test_a_record_fills_a_segment_at_most_and_may_be_empty():
    files = FlashFiles()
    journal, _ = _rp2(files, batch=1)
    try:
        journal.append(b"x" * 1019)
        assert False, "accepted"
    except ValueError as error:
        assert str(error) == "a journal record has at most 1018 bytes, not 1019"
    given = [b"x" * 1018, b"", b"y" * 1012, b"z" * 1018, b""]  # the third fills the segment that the second began
    for data in given:
        journal.append(data)
        assert journal.flush()
    assert [data for _, data in journal.entries()] == given
    again, store = _rp2(files)
    assert [data for _, data in again.entries()] == given and len(store.names("j")) == 4


def test_what_flush_writes_and_when():
    """Without force: a full batch (8 unless told), or more than rtc_bytes (512) of RTC memory; nothing else, and no less."""
    for rtc in (True, False):
        node = _Ports(rtc)
        assert node.journal.errors == node.journal.unreadable == len(node.journal) == 0
        node.add(range(7))
        assert node.segments() == [] and node.journal.exposed == 7 and node.journal.flush()
        node.add([7])
        assert len(node.segments()) == 1 and node.journal.exposed == 0
        for size, exposed in ((506, 1), (507, 0 if rtc else 1)):
            node = _Ports(rtc)
            node.journal.append(b"x" * size)
            assert node.journal.flush() and node.journal.exposed == exposed, (rtc, size)
            assert node.journal.flush(force=True) and node.journal.exposed == 0
        node.files.fault = broken(("write",))
        node.add([1])
        assert node.journal.flush() and not node.journal.flush(force=True), "the flash took nothing"
        node.files.fault = None
        node.add(range(1, 8))
        taken = len(node.segments())
        node.journal.remove([2])
        node.files.fault = broken(("write",))
        assert node.journal.flush() is False and len(node.segments()) == taken, "a rest that could not be written"


def test_counts_hold_whatever_lies_where():
    """Some in two segments, some fresh; some delivered of each: the number that wait, a limit, and each entry once."""
    for rtc in (True, False):
        node = _Ports(rtc, batch=4)
        for number in range(320):  # segments of 102
            node.add([number])
        node.add([320, 321], flush=False)
        numbers = [seq for seq, _ in node.journal.entries()]
        gone = numbers[3:6] + numbers[140:144] + numbers[190:212] + numbers[320:321]
        node.journal.remove(gone)
        expected = [number for number in range(322) if numbers[number] not in gone]
        assert node.waiting() == expected and len(node.journal) == len(expected)
        for limit in (0, 1, 98, 99, 100, 290, 291, 292, 293, 294):
            assert len(list(node.journal.entries(limit))) == min(limit, len(expected)), limit
        node.journal.remove(numbers[:102])  # all that is left of a segment: what is delivered of the others stays so
        expected = [number for number in expected if number >= 102]
        assert node.waiting() == expected and len(node.journal) == len(expected)
        node.journal.flush()
        assert node.waiting() == expected and len(node.journal) == len(expected)
        node = _Ports(rtc, batch=1000, rtc_bytes=100000)
        node.add(range(102 if rtc else 204), flush=False)
        assert node.journal.flush(force=True) and node.files.saves == len(node.segments()) == (1 if rtc else 2), "each once"


def test_numbers_are_never_given_twice_not_even_when_nothing_waits():
    for rtc in (True, False):
        node = _Ports(rtc, batch=2)
        node.add(range(5))
        node.journal.remove([seq for seq, _ in node.journal.entries()])
        assert node.journal.next_number == 6 and not len(node.journal)
        node.wake()
        assert node.journal.append(b"0005") == 6
    files, memory = FlashFiles(), Memory(2040)  # a cut after the segment and before RTC memory: there twice, comes once
    journal, _, _ = _esp32(files, memory, batch=4)
    for number in range(4):
        journal.append(b"%d" % number)
    before = memory.content
    journal.flush()
    memory.content = before
    again, _, _ = _esp32(files, memory, batch=4)
    assert [data for _, data in again.entries()] == [b"0", b"1", b"2", b"3"] and len(again) == 4 and again.exposed == 0
    assert again.append(b"4") == 5


def test_what_gives_way_or_is_damaged_or_unreadable_is_counted_by_entries_and_once():
    node = _Ports(False, batch=1, limit_bytes=100000)
    for number in range(300):
        node.add([number])
    whole = sorted(node.segments())
    assert len(whole) == 3 and [len(node.files.content[each]) for each in whole[:2]] == [1034, 1034]
    node.files.fault = broken(("read",), "/state/j")
    node.start()
    assert node.waiting() == [] and node.journal.unreadable == len(node.journal) == 300
    first = [1, 2, 3]
    node.journal.remove(first)  # delivered, though what is left of the segment cannot be seen now
    node.files.fault = None
    assert node.waiting() == list(range(3, 300)) and node.journal.unreadable == 0
    node.files.rot(whole[0])
    node.files.rot(whole[1])
    node.start()
    assert node.waiting() == list(range(204, 300)) and node.journal.damaged == 204
    node = _Ports(False, batch=1, limit_bytes=1020)
    node.add(range(102))
    assert node.journal.size == 1020 and not node.journal.dropped, "what fills the limit stays"
    node = _Ports(False, batch=1, limit_bytes=2043)
    node.add(range(102))
    node.journal.append(b"x" * 1018)
    node.journal.remove([1, 2])
    node.files.fault = broken(("write",), "/state/j00000003")  # nor can the rest be written
    node.journal.flush()
    assert (node.journal.dropped, len(node.journal), node.journal.exposed) == (100, 1, 0), "what was delivered is no loss"


def test_a_save_that_failed_after_the_deed_is_no_second_segment():
    for rtc in (True, False):
        node = _Ports(rtc, batch=4)
        left = [1]

        def late(kind, _path, left=left):
            if kind == "rename" and left[0]:
                left[0] -= 1
                return -5
            return 0

        node.files.fault = late
        assert node.add(range(4)) is False and node.waiting() == [0, 1, 2, 3]
        node.files.fault = None
        assert node.add([]) and node.waiting() == [0, 1, 2, 3] and len(node.segments()) == 1
        node.add(range(4, 8))
        node.start()
        assert node.waiting() == list(range(8)) and len(node.segments()) == 1 and len(node.journal) == 8
        node = _Ports(rtc, batch=4)  # written anew under its name while it could not be removed: it is nothing left over
        left[0], node.files.fault = 1, late
        node.add(range(4))
        node.files.fault = broken(("remove",))
        assert node.add([])
        node.files.fault = None
        node.add([])
        node.start()
        assert node.waiting() == [0, 1, 2, 3] and len(node.segments()) == 1
        node = _Ports(rtc, batch=4)  # under another name, for one of it was delivered meanwhile: what is left over goes
        left[0], node.files.fault = 1, late
        node.add(range(4))
        node.journal.remove([1])
        node.files.fault = None
        assert node.journal.flush(force=True) and len(node.segments()) == 1
        node.start()
        assert node.waiting() == [1, 2, 3]


def test_the_backup_copy_answers_when_the_first_lost_it_and_repairs_it():
    first, second = FileStore("/state", FlashFiles()), FileStore("/nvs", FlashFiles())
    twin = TwinStore(first, second)
    twin.save("identity", b"endpoint")
    first.remove("identity")
    assert twin.load("identity") == b"endpoint"
    assert first.load("identity") == b"endpoint"


def test_what_the_journal_was_promised_is_nobody_elses_room_and_room_is_blocks():
    assert [blocks_of(size) for size in (0, 1, 620, 4096, 4097)] == [1, 1, 1, 1, 2]
    files = FlashFiles(blocks=200)
    before = spare_blocks(65536, files, "/state")
    assert before == free_blocks(files) - 10 - 73
    journal, cold = _rp2(files, limit_bytes=65536, batch=1)
    for i in range(1500):
        journal.append(b"%040d" % i)
        journal.flush()
        if i % 150 == 0:  # what the journal takes was promised to it: nobody's room grows or shrinks by more than its folder
            assert before - 3 <= spare_blocks(65536, files, "/state") <= before
    for i in range(spare_blocks(65536, files, "/state")):
        files.put("/%d" % i, b"x" * 620)  # an update takes all that is left to it
    for i in range(1500):
        journal.append(b"%040d" % i)
        assert journal.flush()
    assert free_blocks(FlashFiles(blocks=2)) == 0, "a full littlefs counts below nothing"
    assert free_blocks(cold) is None


class _Ports:
    """A journal on each port; wake() is what follows a sleep, power() a loss of power."""

    def __init__(self, rtc, **options):
        self.rtc = rtc
        self.files = FlashFiles()
        self.options = options
        self.power()

    def power(self):
        self.memory = Memory(2040 if self.rtc else 0)
        self.start()

    def start(self):
        cold = FileStore("/state", self.files)
        state = RetainedState(self.memory, 1, cold)
        self.journal = Journal(state if self.rtc else None, cold, **self.options)

    def wake(self):
        if self.rtc:
            self.start()

    def add(self, numbers, flush=True):
        for number in numbers:
            self.journal.append(b"%04d" % number)
        return self.journal.flush() if flush else None

    def waiting(self):
        return [int(data) for _, data in self.journal.entries()]

    def segments(self):
        return [name for name in self.files.content if name.startswith("/state/j")]


def test_a_segment_that_cannot_be_read_now_waits_and_holds_up_nobody():
    for rtc in (True, False):
        for fault in (broken(("read",), "/state/j00000001"), errors(3, 1000, "read")):
            node = _Ports(rtc, batch=1)
            for number in range(200):
                node.add([number])
            node.start()
            node.files.fault = fault
            assert node.waiting() == node.waiting() != list(range(200)) and node.journal.unreadable
            assert node.journal.errors and not node.journal.damaged and len(node.journal) == 200
            node.add([200])
            node.wake()
            if fault("read", "/state/j00000100"):
                assert node.journal.entries(1) is not None and node.files.failed
            node.files.fault = None
            assert node.waiting() == list(range(201)) and node.journal.unreadable == 0
            assert node.journal.errors, "told by the node's health, over sleep too"


def test_numbers_go_on_where_the_folder_cannot_be_listed_at_a_start():
    """An EIO at boot began the numbers anew, and the next start took the new segment for a part of an old one."""
    for rtc in (True, False):
        for sleeps in (0, 2):
            node = _Ports(rtc, batch=4)
            node.add(range(20))
            node.files.fault = broken(("list",))
            node.power()
            for number in (20, 21):
                assert node.add([number]) is False
                for _ in range(sleeps):
                    node.wake()
            assert node.waiting() == [20, 21], "nobody knows what else waits"
            node.journal.remove([seq for seq, _ in node.journal.entries(1)])
            assert len(node.files.content) == 1, "nothing is written or removed meanwhile"
            node.files.fault = None
            if sleeps:
                node.wake()
            assert node.add([22, 23, 24])
            node.start()
            assert node.waiting() == list(range(20)) + [21, 22, 23, 24]
            numbers = [seq for seq, _ in node.journal.entries()]
            assert numbers == sorted(set(numbers)) and node.journal.next_number > numbers[-1]


def test_what_a_start_took_that_could_not_list_stays_where_counts_of_older_numbers_lie():
    """RP2: the counts said that numbers were not provisional, and so what had been taken meanwhile was thrown away."""
    for delivered, taken in ((False, 2), (True, 2), (True, 600)):
        node = _Ports(False, batch=1, limit_bytes=2048)
        for number in range(400):
            node.add([number])
        assert node.journal.dropped
        if delivered:
            node.journal.remove([seq for seq, _ in node.journal.entries()])
        expected = node.waiting()
        node.files.fault = broken(("list",))
        node.start()
        for number in range(1000, 1000 + taken):
            node.add([number])
        expected += range(1000 + max(0, taken - 409), 1000 + taken)  # 4 KB of RAM
        node.files.fault = None
        node.journal._limit = 65536
        assert node.add([2000])
        expected.append(2000)
        for _ in range(2):
            assert node.waiting() == expected, (delivered, taken, len(expected), len(node.waiting()))
            numbers = [seq for seq, _ in node.journal.entries()]
            assert numbers == sorted(set(numbers)) and node.journal.next_number > numbers[-1]
            node.start()


def test_what_a_module_took_that_acknowledges_nothing_is_kept_until_somebody_says_what_to_believe():
    for rtc in (True, False):
        for arrived, left in ((True, [4, 5]), (False, [0, 1, 2, 3, 4, 5])):
            node = _Ports(rtc, batch=3)
            node.add(range(4))
            node.journal.hand([seq for seq, _ in node.journal.entries()][-1])
            node.add([4, 5])
            node.wake()
            assert node.waiting() == [0, 1, 2, 3, 4, 5] and node.journal.handed == 4 and len(node.journal) == 2
            node.journal.release(arrived)
            node.wake()
            assert node.waiting() == left and node.journal.handed == 0 and len(node.journal) == len(left), (rtc, arrived)
    node = _Ports(False, batch=1, limit_bytes=2048)
    node.add(range(100))
    node.journal.hand(100)
    node.add(range(100, 300))
    assert 0 < node.journal.dropped < 300 - len(node.waiting()) - 60, "what was handed over is no loss"
    node.start()
    assert node.journal.handed == 0, "after a reset it is sent again sooner than not at all"


def test_what_could_not_be_removed_does_not_come_again_and_goes_later():
    for rtc in (True, False):
        node = _Ports(rtc, batch=1)
        for number in range(70):
            node.add([number])
        assert len(node.segments()) == 1
        node.files.fault = broken(("remove",))
        node.journal.remove([seq for seq, _ in node.journal.entries(30)])
        node.journal.flush()
        assert len(node.segments()) == 2, "old and rest"
        node.wake()
        assert node.waiting() == list(range(30, 70))
        node.journal.remove([seq for seq, _ in node.journal.entries()])
        node.wake()
        assert node.waiting() == [] and len(node.segments()) == 2
        node.add([70])
        node.wake()
        assert node.waiting() == [70]
        node.files.fault = None
        node.wake()
        node.journal.flush()
        assert len(node.segments()) == 1 and node.waiting() == [70]


def test_an_acknowledged_part_stays_away_when_its_rest_could_not_be_written_at_once():
    for rtc in (True, False):
        for fails in range(1, 5):
            node = _Ports(rtc, batch=4)
            node.add(range(4))
            node.journal.remove([seq for seq, _ in node.journal.entries(2)])
            left = [fails]

            def once(kind, _path, left=left):
                left[0] -= kind in ("write", "rename")
                return 5 if left[0] == 0 and kind in ("write", "rename") else 0

            node.files.fault = once
            node.add(range(4, 8))
            node.files.fault = None
            assert node.waiting() == list(range(2, 8))
            node.add([])
            node.start()
            assert node.waiting() == list(range(2, 8)), (rtc, fails)


def test_more_than_a_segment_goes_to_flash_at_once_without_a_gap():
    for rtc in (True, False):
        for length in (40, 250, 330, 500, 501, 1000):
            node = _Ports(rtc, batch=64, rtc_bytes=100000)
            for number in range(30):
                node.journal.append(b"%04d" % number + b"x" * length)
                assert [int(data[:4]) for _, data in node.journal.entries()] == list(range(number + 1))
            node.journal.flush(force=True)
            node.power()
            assert [int(data[:4]) for _, data in node.journal.entries()] == list(range(30)), (rtc, length)
            assert max([len(node.files.content[name]) for name in node.segments()]) <= 1024 + 14


def test_on_a_full_flash_rtc_memory_keeps_as_much_as_fits_beside_the_rest_of_the_state():
    """Readings and state together outgrew a slot, which was emptied, and the flash took neither: a sleep lost both."""
    files, memory = FlashFiles(), Memory(2040)
    files.full = True
    given = []
    for wake in range(60):
        cold = FileStore("/state", files)
        state = RetainedState(memory, 1, cold)
        journal = Journal(state, cold)
        assert not given or state.load("tree") == b"x" * (400 + 8 * (wake - 1))
        given.append(b"%030d" % wake)
        journal.append(given[-1])
        state.save("tree", b"x" * (400 + 8 * wake))
        journal.flush()
        state.commit()
    kept = [data for _, data in Journal(RetainedState(memory, 1), FileStore("/state", files)).entries()]
    assert len(kept) >= 2 and kept == given[-len(kept) :]
    assert journal.dropped == len(given) - len(kept)


def test_the_state_behind_is_neither_lost_nor_written_over_while_it_cannot_be_read():
    for size in (2040, 0):
        files, memory = FlashFiles(), Memory(size)
        state = RetainedState(memory, 1, FileStore("/state", files))
        state.save("settings", b"of the server", durable=True)
        state.commit()
        files.fault = broken(("read",))
        memory = Memory(size)
        for number in range(20):
            state = RetainedState(memory, 1, FileStore("/state", files))
            assert state.source == "unreadable" and (state.load("settings") is None) == (not number or not size)
            journal = Journal(state if size else None, FileStore("/state", files))
            journal.append(b"meanwhile")
            state.save("settings", b"default %d" % number, durable=True)
            assert not state.commit() and state.failed and not state.restart
        files.fault = None
        assert not state.commit() and state.restart, "a start takes it up"
        state = RetainedState(memory, 1, FileStore("/state", files))
        assert state.source == "behind" and state.load("settings") == b"of the server"
        journal = Journal(state if size else None, FileStore("/state", files))
        assert len(journal) == (20 if size else 0)
        state.save("more", b"1", durable=True)
        assert state.commit() and not state.restart


def test_bytes_that_fail_their_check_are_read_again_before_they_count_as_damaged():
    files = FlashFiles()
    store = FileStore("/state", files)
    store.save("a", b"good")
    whole = files.content["/state/a"]
    reads = []

    def flip(kind, path):
        if kind == "read" and path == "/state/a":
            reads.append(path)
            files.content[path] = whole if len(reads) > 2 else b"noise" * 9
        return 0

    files.fault = flip
    assert store.load("a") == b"good" and store.damaged == 0
    files.fault = None
    files.rot("/state/a")
    assert store.load("a") is None and store.damaged == 1
    assert store.load("b") is None and store.errors == 0


def test_a_save_that_fails_leaves_the_old_value_and_no_half_written_file():
    for fault in (errors(1, 1000, "write"), errors(1, 1000, "rename"), None):
        files = FlashFiles()
        store = FileStore("/state", files)
        store.save("a", b"old")
        files.fault = fault
        files.full = fault is None
        for _ in range(8):
            try:
                store.save("a", b"new")
            except OSError:
                assert store.load("a") in (b"old", b"new")
        assert store.errors
        files.fault, files.full = None, False
        assert [name for name in files.content if name.endswith(".tmp")] == []
    files.content["/state/j1.tmp"] = b"what a cut leaves, a block each"
    assert store.names() == ["a"] and list(files.content) == ["/state/a"]


def test_the_backup_copy_answers_while_the_first_is_unreadable_and_is_not_written_over_it():
    files = FlashFiles()
    twin = TwinStore(FileStore("/state", files), FileStore("/nvs", FlashFiles()))
    twin.save("identity", b"old")
    twin._first.save("identity", b"newer")
    files.fault = broken(("read",))
    assert twin.load("identity") == b"old"
    files.fault = None
    assert twin.load("identity") == b"newer"
    lone = TwinStore(FileStore("/state", files), FileStore("/nvs", FlashFiles()))
    files.fault = broken(("read",))
    try:
        lone.load("identity")
        assert False, "unreadable is not absent"
    except OSError:
        pass
