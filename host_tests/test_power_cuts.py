"""The power cut at every write of a whole wake: state is old or new, never mixed; only what is exposed may go."""

from fakes.flash import FlashFiles, Memory, PowerCut

from lwnode.features.settings import STATES, Trial
from lwnode.power import FileStore, Journal, RetainedState, TwinStore


class _Run:
    """What a node writes over several wakes, with an account of what the outside knows."""

    def __init__(self, files, memory, batch):
        self.files = files
        self.memory = memory
        self.batch = batch
        self.taken = []  # readings handed to the journal
        self.safe = set()  # on flash, by the journal's own word
        self.delivered = set()
        self.kept = None

    def open(self):
        """After a wake from deep sleep everything is read again; a board without retained memory keeps its RAM."""
        if self.kept is None or self.memory.size:
            self.kept = self.fresh()
        return self.kept

    def fresh(self):
        """After a reset."""
        cold = FileStore("/state", self.files)
        state = RetainedState(self.memory, 1, cold, every=3)
        return cold, state, Journal(state if self.memory.size else None, cold, batch=self.batch, limit_bytes=100000)

    def wake(self, number, contact):
        cold, state, journal = self.open()
        state.save("schedule", b"slot %04d" % number)
        state.save("backoff", b"slot %04d" % number)
        if number % 4 == 0:
            state.save("config", b"config %04d" % number, durable=True)
        for part in range(3):
            reading = b"%04d.%d" % (number, part)
            self.taken.append(reading)
            journal.append(reading)
        journal.flush()
        if journal.exposed == 0:
            self.safe = {data for _, data in journal.entries()}
        if contact:
            for seq, data in list(journal.entries(7)):
                self.delivered.add(data)
                journal.remove([seq])
            journal.flush()
        state.commit()


def _wakes(run):
    for number in range(9):
        run.wake(number, contact=number in (4, 6, 8))


def _check(run, power_lost, where):
    run.kept = None
    _, state, journal = run.open()
    waiting = [data for _, data in journal.entries()]
    assert waiting == sorted(waiting), where
    assert len(waiting) == len(set(waiting)), where
    assert set(waiting) <= set(run.taken), where
    kept = set(waiting) | run.delivered
    missing = [data for data in run.taken if data not in kept]
    if power_lost:
        assert len(missing) <= run.batch + 2, (where, missing)  # a wake's readings come three at a time
        for data in missing:
            assert data not in run.safe, (where, data)
    else:
        # The reading being appended at the very cut is nobody's yet.
        assert missing in ([], [run.taken[-1]]), (where, missing)
    schedule, backoff = state.load("schedule"), state.load("backoff")
    assert schedule == backoff, (where, "mixed")
    assert journal.damaged == 0, where


def _cut_everywhere(memory_size, batch, torn):
    whole = _Run(FlashFiles(torn=torn), Memory(memory_size), batch)
    _wakes(whole)
    points = whole.files.operations
    assert points > 10
    for cut in range(1, points + 1):
        for power_lost in (True, False):
            run = _Run(FlashFiles(torn=torn), Memory(memory_size), batch)
            run.files.cut_at = cut
            try:
                _wakes(run)
            except PowerCut:
                pass
            else:
                raise AssertionError("no cut at %d" % cut)
            run.files = run.files.after_cut()
            if power_lost:
                run.memory = Memory(memory_size)
            _check(run, power_lost or not memory_size, (memory_size, batch, cut))
            # Life goes on.
            before = len(run.taken)
            run.wake(50, contact=True)
            assert len(run.taken) == before + 3
    return points


def test_power_cut_at_every_flash_write_of_a_node_with_rtc_memory():
    points = _cut_everywhere(2036, 6, False)
    print("cut points: %d of %d" % (points, points))


def test_power_cut_at_every_flash_write_of_a_node_without():
    points = _cut_everywhere(0, 6, False)
    print("cut points: %d of %d" % (points, points))


def test_one_reading_at_a_time_is_exposed_below_the_brown_out_band():
    _cut_everywhere(0, 1, False)
    _cut_everywhere(2036, 1, False)


def test_a_filesystem_that_tears_files_loses_none_either():
    """FAT promises less than littlefs: a cut may leave any part of the file being written. Ours are written beside."""
    _cut_everywhere(2036, 6, True)
    _cut_everywhere(0, 6, True)


def test_retained_slots_are_old_or_new_when_a_write_stops_at_any_byte():
    """A watchdog or panic can end the copy into RTC memory anywhere."""

    class Torn(Memory):
        stop = None

        def save(self, data):
            if self.stop is not None:
                self.content = bytes(data[: self.stop]) + self.content[self.stop :]
                raise PowerCut("byte %d" % self.stop)
            super().save(data)

    for stop in range(0, 512, 3):
        memory = Torn(512)
        state = RetainedState(memory, 1)
        for value in (b"1", b"2", b"3"):
            state.save("a", value * 20)
            state.save("b", value * 30)
            state.commit()
        memory.stop = stop
        state.save("a", b"4" * 20)
        state.save("b", b"4" * 30)
        try:
            state.commit()
        except PowerCut:
            pass
        after = RetainedState(Memory(512, memory.content), 1)
        found = after.load("a")[:1]
        assert found in (b"3", b"4"), stop
        assert after.load("b") == found * 30, stop


def test_random_and_damaged_retained_memory_gives_defaults_or_the_state_before():
    """low_power.md section 6, 4: random, bit flips, old version, truncated."""
    memory = Memory(1024)
    state = RetainedState(memory, 3)
    for value in (b"old", b"new"):
        state.save("name", value * 40)
        state.commit()
    good = memory.content
    for bit in range(0, len(good) * 8, 5):
        flipped = bytearray(good)
        flipped[bit >> 3] ^= 1 << (bit & 7)
        found = RetainedState(Memory(1024, bytes(flipped)), 3).load("name")
        assert found in (b"old" * 40, b"new" * 40), bit
    for length in range(0, len(good), 7):
        found = RetainedState(Memory(1024, good[:length]), 3)
        assert found.load("name") in (None, b"old" * 40, b"new" * 40), length
    assert RetainedState(Memory(1024, good), 4).source == "defaults"
    seed = 11
    for _ in range(200):
        noise = bytearray(1024)
        for i in range(0, 1024, 3):
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
            noise[i] = seed >> 16 & 0xFF
        noise[0:2] = b"WL"
        fresh = RetainedState(Memory(1024, bytes(noise)), 3)
        assert fresh.load("name") is None
        fresh.save("name", b"x")
        assert fresh.commit()


def test_state_too_large_for_retained_memory_goes_to_flash_each_time():
    files = FlashFiles()
    state = RetainedState(Memory(256), 1, FileStore("/state", files))
    state.save("big", b"x" * 500)
    assert state.commit()
    assert RetainedState(Memory(256), 1, FileStore("/state", files)).load("big") == b"x" * 500
    lonely = RetainedState(Memory(256), 1)
    lonely.save("big", b"x" * 500)
    assert not lonely.commit(), "nowhere to put it, and it says so"


def test_nothing_is_written_where_nothing_changed():
    files, memory = FlashFiles(), Memory(2036)
    state = RetainedState(memory, 1, FileStore("/state", files))
    for _ in range(100):
        state.save("a", b"same")
        state.commit()
    assert memory.saves == 1
    assert files.saves == 0


def test_flash_behind_retained_memory_is_written_seldom_and_wear_is_stated():
    files = FlashFiles()
    store = FileStore("/state", files)
    state = RetainedState(Memory(2036), 1, store, every=16)
    for wake in range(96):
        state.save("schedule", b"%d" % wake)
        state.commit()
    assert files.saves == 6, "writes per day at one wake in 15 minutes"


def test_flash_behind_is_written_as_often_where_each_wake_starts_anew():
    """Deep sleep forgets the object: commits are counted by the sequence."""
    files, memory = FlashFiles(), Memory(2036)
    for wake in range(96):
        state = RetainedState(memory, 1, FileStore("/state", files), every=16)
        assert wake == 0 or state.load("schedule") == b"%d" % (wake - 1)
        state.save("schedule", b"%d" % wake)
        state.commit()
    assert files.saves == 6
    after_power_loss = RetainedState(Memory(2036), 1, FileStore("/state", files), every=16)
    assert int(after_power_loss.load("schedule")) >= 96 - 17


def test_a_state_that_outgrows_retained_memory_does_not_come_back_as_its_smaller_past():
    files, memory = FlashFiles(), Memory(512)
    state = RetainedState(memory, 1, FileStore("/state", files))
    state.save("tree", b"small")
    state.commit()
    state.save("tree", b"x" * 600)
    state.commit()
    again = RetainedState(memory, 1, FileStore("/state", files))
    assert again.load("tree") == b"x" * 600
    again.save("tree", b"small again")
    again.commit()
    assert RetainedState(memory, 1, FileStore("/state", files)).load("tree") == b"small again"


def test_a_durable_name_is_on_flash_after_the_next_commit_and_not_after_the_sixteenth():
    files = FlashFiles()
    state = RetainedState(Memory(2036), 1, FileStore("/state", files))
    state.save("config", b"new", durable=True)
    assert state.commit()
    assert files.saves == 1
    after_power_loss = RetainedState(Memory(2036), 1, FileStore("/state", files))
    assert after_power_loss.source == "behind"
    assert after_power_loss.load("config") == b"new"


def test_a_cut_during_a_trial_leaves_the_old_or_the_new_one_running():
    whole = FlashFiles()
    store = FileStore("/state", whole)
    Trial(store, wakes=2).start(b"new", b"old")
    points = whole.operations
    for cut in range(1, points + 1):
        files = FlashFiles()
        files.cut_at = cut
        try:
            Trial(FileStore("/state", files), wakes=2).start(b"new", b"old")
        except PowerCut:
            pass
        trial = Trial(FileStore("/state", files.after_cut()), wakes=2)
        assert STATES[trial.at] in ("none", "running")
        if STATES[trial.at] == "running":
            trial.wake(False)
            assert trial.wake(False) == b"old"


def test_both_homes_of_the_identity_survive_a_cut_between_them():
    points = 8
    for cut in range(1, points + 1):
        first, second = FlashFiles(), FlashFiles()
        TwinStore(FileStore("/a", first), FileStore("/b", second)).save("identity", b"old")
        before = first.operations
        first.cut_at = second.cut_at = before + cut
        try:
            TwinStore(FileStore("/a", first), FileStore("/b", second)).save("identity", b"new")
        except PowerCut:
            pass
        twin = TwinStore(FileStore("/a", first.after_cut()), FileStore("/b", second.after_cut()))
        assert twin.load("identity") in (b"old", b"new")
