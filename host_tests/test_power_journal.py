"""Journal, FileStore and RetainedState: what was put in comes out, whole, or is counted."""

from fakes.flash import FlashFiles, Memory

from lwnode.power import FileStore, Journal, RetainedState, TwinStore
from lwnode.power.store import blocks_of, free_blocks, spare_blocks


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


def test_too_large_a_record_is_refused_with_a_sentence():
    journal, _ = _rp2()
    try:
        journal.append(b"x" * 1100)
    except ValueError as error:
        assert "at most" in str(error)
    else:
        assert False, "accepted"


def test_the_second_home_answers_when_the_first_lost_it_and_repairs_it():
    first, second = FileStore("/state", FlashFiles()), FileStore("/nvs", FlashFiles())
    twin = TwinStore(first, second)
    twin.save("identity", b"endpoint")
    first.remove("identity")
    assert twin.load("identity") == b"endpoint"
    assert twin.recovered == ["identity"]
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
