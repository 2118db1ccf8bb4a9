"""Addresses as the packet path has them: four words to compare, a sockaddr to send to.

Source: RFC 3493 §3 (sockaddr_in6); which addresses are never sent to: the signalling rules, §4.
"""

import ipaddress
import socket
import struct
from typing import Final

import numpy as np

from switch.media.legs import Bytes, Int64

PORT_MIN: Final = 1024
"""Nothing is sent to a well-known port. The signalling rules, §4."""

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


def may_be_sent_to(ip: Ip, port: int) -> bool:
    """Tell whether RTP may go there: one host, no well-known port."""
    reserved = ip.is_reserved and not ip.is_loopback  # ::1 lies in the reserved ::/8
    never = ip.is_multicast or ip.is_unspecified or reserved
    return not never and str(ip) != "255.255.255.255" and port >= PORT_MIN


def words(ip: Ip) -> Int64:
    """Return an address as four words of 32 bits; IPv4 is the last."""
    packed = ip.packed.rjust(16, b"\0")
    return np.array(struct.unpack("!4I", packed), np.int64)


def mask_words(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> Int64:
    """Return the mask of a network as `words` would; for IPv4 the upper three must be zero."""
    mask = network.netmask.packed.rjust(16, b"\xff")
    return np.array(struct.unpack("!4I", mask), np.int64)


def sockaddr(ip: Ip, port: int) -> Bytes:
    """Return the bytes that `sendto` takes, in this machine's order of the family."""
    if isinstance(ip, ipaddress.IPv4Address):
        packed = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, ip.packed)
    else:
        packed = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI16sI", port, 0, ip.packed, 0)
    return np.frombuffer(packed, np.uint8)
