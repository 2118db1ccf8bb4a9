"""RFC 3711 by the letter, slowly: what libsrtp is compared with.

AES-CM and HMAC-SHA1 only. Clauses: §4.1.1 keystream, §4.2 tag, §4.3 key derivation, §3.4 SRTCP.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

LABEL_CIPHER, LABEL_AUTH, LABEL_SALT = 0, 1, 2


def keystream(key: bytes, counter: int, size: int) -> bytes:
    """AES counter mode from this counter on. §4.1.1."""
    made = Cipher(algorithms.AES(key), modes.CTR(counter.to_bytes(16, "big"))).encryptor()
    return made.update(bytes(size))


def derive(master_key: bytes, master_salt: bytes, label: int, size: int) -> bytes:
    """A session key; the derivation rate is 0. §4.3.1, §4.3.3."""
    x = (label << 48) ^ int.from_bytes(master_salt, "big")
    return keystream(master_key, x << 16, size)


def protect(secret: bytes, packet: bytes, *, roc: int, tag_bytes: int) -> bytes:
    """One RTP packet with a plain header of twelve bytes as SRTP. §3.1, §3.3."""
    master_key, master_salt = secret[:16], secret[16:]
    salt = int.from_bytes(derive(master_key, master_salt, LABEL_SALT, 14), "big")
    ssrc, sequence = int.from_bytes(packet[8:12], "big"), int.from_bytes(packet[2:4], "big")
    counter = (salt << 16) ^ (ssrc << 64) ^ ((roc << 16 | sequence) << 16)
    cipher_key = derive(master_key, master_salt, LABEL_CIPHER, 16)
    stream = keystream(cipher_key, counter, len(packet) - 12)
    made = packet[:12] + bytes(a ^ b for a, b in zip(packet[12:], stream, strict=True))
    auth_key = derive(master_key, master_salt, LABEL_AUTH, 20)
    tag = hmac.new(auth_key, made + roc.to_bytes(4, "big"), hashlib.sha1).digest()
    return made + tag[:tag_bytes]
