import mmap
import os
from pathlib import Path

import pytest

from switch.lab.processor_time import descriptors, family, memory_kb, passed_s, spent_s

pytestmark = pytest.mark.live

OWN = [os.getpid()]


def test_what_a_process_writes_to_is_held_and_what_it_reads_from_a_file_is_not(
    tmp_path: Path,
) -> None:
    file = tmp_path / "large"
    file.write_bytes(bytes(8 << 20))
    before = memory_kb(OWN)
    with file.open("rb") as opened:
        read = mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ)
        assert sum(read[at] for at in range(0, len(read), 4096)) == 0
        assert memory_kb(OWN) - before < 4096
        written = bytearray(os.urandom(1)) * (16 << 20)
        assert memory_kb(OWN) - before > 12 << 10
        assert len(written) == 16 << 20
        read.close()


def test_a_process_that_is_gone_holds_nothing() -> None:
    nobody = 1 << 22
    assert (memory_kb([nobody]), descriptors([nobody]), spent_s([nobody])) == (0, 0, 0)


def test_we_are_first_in_our_family_and_have_used_a_processor() -> None:
    assert family(OWN[0])[0] == OWN[0]
    assert spent_s(OWN) > 0
    assert descriptors(OWN) > 2


def test_a_thread_that_has_ended_takes_nothing_from_what_the_others_spent() -> None:
    assert (
        passed_s({1: 5_000_000_000, 2: 1_000_000_000}, {2: 1_500_000_000, 3: 250_000_000}) == 0.75
    )
