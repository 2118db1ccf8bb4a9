"""A synthetic voice: text in, samples out. espeak-ng through its C interface.

Source: `speak_lib.h` of espeak-ng 1.5x. The library is loaded into the process that asks for it,
so this module is imported by `prompt_synthesis` only, which is a process of its own.
"""

import ctypes
from pathlib import Path
from typing import Final

import espeakng_loader  # type: ignore[import-untyped]  # has none
import numpy as np
from numpy.typing import NDArray

from switch.errors import LocalError

OUTPUT_RETRIEVAL: Final = 1
"""The samples come to a callback, not to a sound card. speak_lib.h, espeak_AUDIO_OUTPUT."""

PARAMETER_RATE: Final = 1
"""Words per minute. speak_lib.h, espeak_PARAMETER."""

POSITION_CHARACTER: Final = 1
CHARACTERS_UTF8: Final = 1
"""speak_lib.h, espeak_POSITION_TYPE and the flags of espeak_Synth."""

BUFFER_MS: Final = 200
"""How much sound one callback brings. Chosen."""

_CALLBACK: Final = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class SyntheticVoice:
    """espeak-ng, once per process."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        folder = Path(espeakng_loader.get_data_path()).parent
        self.rate_hz: int = self._library.espeak_Initialize(
            OUTPUT_RETRIEVAL, BUFFER_MS, str(folder).encode(), 0
        )
        if self.rate_hz <= 0:
            raise LocalError(f"espeak-ng does not start with the data in {folder}")
        self._chunks: list[NDArray[np.int16]] = []
        self._callback = _CALLBACK(self._take)
        self._library.espeak_SetSynthCallback(self._callback)
        self._present: tuple[str, int] | None = None

    def say(self, text: str, *, voice: str, words_per_minute: int) -> NDArray[np.float64]:
        """Return the sound of a text at `rate_hz`, full scale 32768.

        Raises:
            LocalError: there is no such voice.
        """
        if self._present != (voice, words_per_minute):
            if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
                raise LocalError(f"espeak-ng has no voice {voice}")
            self._library.espeak_SetParameter(PARAMETER_RATE, words_per_minute, 0)
            self._present = (voice, words_per_minute)
        self._chunks.clear()
        if not text:
            return np.zeros(0)
        encoded = text.encode() + b"\0"
        self._library.espeak_Synth(
            encoded, len(encoded), 0, POSITION_CHARACTER, 0, CHARACTERS_UTF8, None, None
        )
        self._library.espeak_Synchronize()
        if not self._chunks:
            return np.zeros(0)
        return np.concatenate(self._chunks).astype(np.float64)

    def _take(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int) -> int:
        if count > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        return 0
