"""Which keys of ours a leg has for SRTP: none, unless its signalling is encrypted too.

Source: RFC 4568 section 8.3: a key in a description is only as secret as what carries it.
"""

from switch.call.switchboard.rooms import Rooms
from switch.rtp.srtp_suite import MasterKey
from switch.sdp.crypto import Srtp, fresh_keys
from switch.sip.events import Flow


def new_keys(rooms: Rooms, flow: Flow, srtp: Srtp) -> tuple[MasterKey, ...]:
    """Make new keys for a leg whose signalling takes this way."""
    if flow.transport != "tls" or srtp is Srtp.OFF:
        return ()
    return fresh_keys(rooms.random)
