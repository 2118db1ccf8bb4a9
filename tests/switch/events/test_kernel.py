from pathlib import Path

from switch.events.kernel import KernelDrops, rcvbuf_errors

SNMP = """Ip: Forwarding DefaultTTL
Ip: 1 64
Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors
Udp: 100 2 5 90 {} 0
UdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors
UdpLite: 0 0 0 0 9 0
"""
SNMP6 = """Udp6InDatagrams                 \t7
Udp6RcvbufErrors                \t{}
"""


def test_both_families_are_added_and_nothing_else() -> None:
    assert rcvbuf_errors(SNMP.format(5), SNMP6.format(3)) == 8


def test_what_was_dropped_before_we_looked_is_not_counted(tmp_path: Path) -> None:
    snmp, snmp6 = tmp_path / "snmp", tmp_path / "snmp6"
    snmp.write_text(SNMP.format(5))
    drops = KernelDrops(snmp, snmp6)
    assert drops.total() == 0
    snmp.write_text(SNMP.format(12))
    assert drops.total() == 7
    snmp.write_text(SNMP.format(0))
    assert drops.total() == 0


def test_the_kernel_of_this_machine_can_be_asked() -> None:
    assert KernelDrops().total() >= 0


def test_a_machine_without_these_files_counts_nothing() -> None:
    assert rcvbuf_errors("", "") == 0
