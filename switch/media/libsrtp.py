"""libsrtp for compiled code and for Python: sessions, and the two calls of the packet path.

Source: libsrtp 2 (srtp.h), in the wheel of pylibsrtp. As in `libc`, a compiled call is found by its
name; the names are ours and registered when this module is imported, so that the OpenSSL inside the
wheel is not shown to the rest of the process. A session is used by one thread only.
"""

import ctypes
from typing import Any, Final

import llvmlite.binding  # type: ignore[import-untyped]  # it has no types
import pylibsrtp
from numba import types
from pylibsrtp import Policy, Session, _binding

from switch.rtp.srtp_suite import MasterKey, Suite

OK: Final = 0
AUTH_FAILED: Final = 7
REPLAYED: Final = 9
TOO_OLD: Final = 10
"""srtp_err_status_t: ok, auth_fail, replay_fail, replay_old."""

WINDOW_PACKETS: Final = 512
"""Packets that may come late and are still known as new. RFC 3711 §3.3.2 asks for 64 at least;
chosen: ten seconds of speech, more than any network holds back."""

_PROFILES: Final = {
    Suite.AES_CM_128_HMAC_SHA1_80: Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    Suite.AES_CM_128_HMAC_SHA1_32: Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
    Suite.AEAD_AES_128_GCM: Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    Suite.AEAD_AES_256_GCM: Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}

_LIBRARY: Final = ctypes.CDLL(_binding.__file__)
_SIGNATURE: Final = types.int32(types.uintp, types.uintp, types.uintp)


def _external(name: str) -> Any:  # noqa: ANN401 - numba has no types
    address = ctypes.cast(getattr(_LIBRARY, name), ctypes.c_void_p).value
    llvmlite.binding.add_symbol(f"kinline_{name}", address)
    return types.ExternalFunction(f"kinline_{name}", _SIGNATURE)


srtp_protect = _external("srtp_protect")
srtp_unprotect = _external("srtp_unprotect")
"""`int f(srtp_t session, void *packet, int *bytes)`, in place; see `plain` for the interpreter."""


def plain(name: str) -> Any:  # noqa: ANN401 - a ctypes function
    """Return the same call for the interpreter, which cannot call an `ExternalFunction`."""
    call = getattr(_LIBRARY, name)
    call.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    call.restype = ctypes.c_int
    return lambda session, packet, size: call(int(session), int(packet), int(size))


class SrtpSession:
    """One direction of one leg under one key: RTP by address from the pump, RTCP from Python.

    Args:
        key: of this direction.
        sends: whether we are the sender.
    """

    def __init__(self, key: MasterKey, *, sends: bool) -> None:
        ssrc = Policy.SSRC_ANY_OUTBOUND if sends else Policy.SSRC_ANY_INBOUND
        policy = Policy(key=key.secret, ssrc_type=ssrc, srtp_profile=_PROFILES[key.suite])
        policy.window_size = WINDOW_PACKETS
        self._policy = policy
        self._session = Session(policy)

    def go_on(self, ssrc: int, rollovers: int) -> None:
        """Know a source whose numbers have wrapped so often before we ever heard it."""
        self._policy.ssrc_type, self._policy.ssrc_value = Policy.SSRC_SPECIFIC, ssrc
        self._session.add_stream(self._policy)
        _LIBRARY.srtp_set_stream_roc(
            ctypes.c_void_p(self.address), ctypes.c_uint32(ssrc), ctypes.c_uint32(rollovers)
        )

    @property
    def address(self) -> int:
        """What the pump calls it by; good while this object lives."""
        handle = self._session._srtp[0]  # noqa: SLF001 - pylibsrtp has no public name for it
        return int(_binding.ffi.cast("uintptr_t", handle))

    def protect_rtcp(self, data: bytes) -> bytes:
        """Return a compound as SRTCP."""
        return self._session.protect_rtcp(data)

    def unprotect_rtcp(self, data: bytes) -> bytes | None:
        """Return a compound in the clear; None: forged, or seen before."""
        try:
            return self._session.unprotect_rtcp(data)
        except (pylibsrtp.Error, ValueError):
            return None
