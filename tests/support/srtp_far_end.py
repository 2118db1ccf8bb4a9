"""The other end of an SRTP leg: pylibsrtp as it comes, a judge of our sessions."""

from pylibsrtp import Error, Policy, Session

from switch.rtp.srtp_suite import MasterKey, Suite

PROFILES = {
    Suite.AES_CM_128_HMAC_SHA1_80: Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    Suite.AES_CM_128_HMAC_SHA1_32: Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
    Suite.AEAD_AES_128_GCM: Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    Suite.AEAD_AES_256_GCM: Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}


class SrtpFarEnd:
    """A telephone's cipher.

    Args:
        sends: its own key.
        hears: ours.
    """

    def __init__(self, *, sends: MasterKey, hears: MasterKey) -> None:
        self._tx = _session(sends, Policy.SSRC_ANY_OUTBOUND)
        self._rx = _session(hears, Policy.SSRC_ANY_INBOUND)

    def protect(self, data: bytes) -> bytes:
        return self._tx.protect(data)

    def unprotect(self, data: bytes) -> bytes | None:
        try:
            return self._rx.unprotect(data)
        except Error:
            return None

    def protect_rtcp(self, data: bytes) -> bytes:
        return self._tx.protect_rtcp(data)

    def unprotect_rtcp(self, data: bytes) -> bytes | None:
        try:
            return self._rx.unprotect_rtcp(data)
        except Error:
            return None


def _session(key: MasterKey, ssrc_type: int) -> Session:
    policy = Policy(key=key.secret, ssrc_type=ssrc_type, srtp_profile=PROFILES[key.suite])
    policy.window_size = 4096
    policy.allow_repeat_tx = True
    return Session(policy)
