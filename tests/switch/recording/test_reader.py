"""Files of recordings: what was written is read, what was changed is refused."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from switch.recording import file_format as ff
from switch.recording.file_format import CHUNK_SAMPLES, SILENCE, RecordingError
from switch.recording.keys import MasterKey
from switch.recording.reader import RecordingReader, file_hash
from tests.support import recording_file
from tests.support.recording_file import MASTER, sound_of

S = CHUNK_SAMPLES
THREE = [(0, S), (S, S), (2 * S, 800)]


def read(path: Path) -> RecordingReader:
    return RecordingReader(path, MASTER)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    reader = read(recording_file.write(tmp_path / "a.rec", THREE, end=2 * S + 800))
    assert reader.is_closed
    assert reader.samples == 2 * S + 800
    sound = reader.sound()
    assert np.array_equal(sound.samples, sound_of(0, 2 * S + 800))
    assert sound.gaps == ((), ())
    assert reader.prove() == file_hash(tmp_path / "a.rec")


def test_a_missing_chunk_is_a_gap_of_both_channels(tmp_path: Path) -> None:
    path = recording_file.write(tmp_path / "a.rec", [(0, S), (3 * S, S)], end=4 * S + 80)
    sound = read(path).sound()
    assert sound.gaps[0] == sound.gaps[1] == ((S, 2 * S), (4 * S, 80))
    assert (sound.samples[:, S : 3 * S] == SILENCE).all()


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(1, 500), min_size=1, max_size=8),
    holes=st.lists(st.integers(0, 300), min_size=8, max_size=8),
    first=st.integers(0, 6000),
    length=st.integers(0, 6000),
)
def test_any_range_is_the_same_piece_of_the_whole(
    counts: list[int], holes: list[int], first: int, length: int
) -> None:
    chunks, at = [], 0
    for count, hole in zip(counts, holes, strict=False):
        chunks.append((at + hole, count))
        at += hole + count
    with TemporaryDirectory() as folder:
        reader = read(recording_file.write(Path(folder) / "a.rec", chunks, end=at))
        whole, piece = reader.sound(), reader.sound(first, first + length)
        begin, stop = min(first, at), min(first + length, at)
        assert np.array_equal(piece.samples, whole.samples[:, begin:stop])
        for side in (0, 1):
            is_gap = np.zeros(at, bool)
            for gap_at, size in whole.gaps[side]:
                is_gap[gap_at : gap_at + size] = True
            is_here = np.zeros(at, bool)
            for gap_at, size in piece.gaps[side]:
                is_here[gap_at : gap_at + size] = True
            assert np.array_equal(is_here[begin:stop], is_gap[begin:stop])
            assert not is_here[:begin].any()
            assert not is_here[stop:].any()


@settings(max_examples=80, deadline=None)
@given(cut=st.integers(0, 40_000))
def test_a_file_that_was_cut_is_read_up_to_its_last_whole_chunk(cut: int) -> None:
    with TemporaryDirectory() as folder:
        path = recording_file.write(Path(folder) / "a.rec", THREE, end=2 * S + 800)
        data = path.read_bytes()
        header = len(recording_file.header_of())
        kept = max(header, len(data) - 1 - cut)
        path.write_bytes(data[:kept])
        reader = read(path)
        assert not reader.is_closed
        assert reader.samples in {0, S, 2 * S, 2 * S + 800}
        assert reader.whole_bytes <= kept
        assert np.array_equal(reader.sound().samples, sound_of(0, reader.samples))


@settings(max_examples=150, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@example(place=0.14453125, bit=0)
def test_a_flipped_bit_is_refused(place: float, bit: int) -> None:
    """Wherever it is: header, prefix, sound or end. A length may make it a cut file instead."""
    with TemporaryDirectory() as folder:
        path = recording_file.write(Path(folder) / "a.rec", [(0, 400), (400, 400)], end=800)
        whole = file_hash(path)
        data = bytearray(path.read_bytes())
        data[int(place * len(data))] ^= 1 << bit
        path.write_bytes(data)
        assert file_hash(path) != whole
        try:
            reader = read(path)
            reader.prove()
        except RecordingError:
            return
        assert not reader.is_closed


def test_a_chunk_cannot_change_its_place_or_come_from_another_file(tmp_path: Path) -> None:
    a = recording_file.write(tmp_path / "a.rec", [(0, S), (S, S)], end=2 * S)
    b = recording_file.write(tmp_path / "b.rec", [(0, S), (S, S)], end=2 * S, recording="b")
    header = len(recording_file.header_of())
    one, other = a.read_bytes(), b.read_bytes()
    size = ff.PREFIX_BYTES + 4 + 2 * S + ff.TAG_BYTES
    swapped = one[:header] + one[header + size :][:size] + one[header:][:size]
    a.write_bytes(swapped + one[header + 2 * size :])
    with pytest.raises(RecordingError):
        read(a).prove()
    begin = len(recording_file.header_of("b"))
    a.write_bytes(one[:header] + other[begin : begin + size] + one[header + size :])
    with pytest.raises(RecordingError):
        read(a).prove()


def test_another_master_key_opens_nothing(tmp_path: Path) -> None:
    path = recording_file.write(tmp_path / "a.rec", THREE, end=2 * S + 800)
    with pytest.raises(RecordingError, match="master key"):
        RecordingReader(path, MasterKey(b"x" * 32))


def test_a_file_of_somebody_else_is_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.rec"
    for data in (b"", b"RIFF", ff.MAGIC, ff.MAGIC + b"\xff" * 60, ff.MAGIC + b"\x02\0\0\0{}"):
        path.write_bytes(data)
        with pytest.raises(RecordingError):
            read(path)


def test_what_lies_beside_is_sealed_too(tmp_path: Path) -> None:
    path = recording_file.write(tmp_path / "a.rec", THREE, end=2 * S + 800, peaks=b"peaks")
    assert read(path).beside("peaks") == b"peaks"
    assert read(path).beside("events") is None
    beside = path.with_suffix(".peaks")
    assert b"peaks" not in beside.read_bytes()
    beside.rename(path.with_suffix(".events"))
    with pytest.raises(RecordingError):
        read(path).beside("events")
