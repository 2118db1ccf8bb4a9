# ruff: noqa: RUF001 - Russian is not written in Latin letters
"""The people of a family: recorded voices at several speeds, and synthetic ones.

A re-speeded voice is another person to the ear: pitch and throat change together. Synthetic voices
are espeak-ng's, as a library, through the product's own prompt voice.
"""

from pathlib import Path

import numpy as np

from switch.media.prompt_voice import SyntheticVoice
from tests.corpus.conversation import Person, person
from tests.detection import sources
from tests.detection.tape import respeed

SPEEDS = {"ru": (0.72, 0.83, 0.96, 1.1), "en": (0.76, 1.0), "es": (0.88, 1.15)}
"""English and Spanish are one woman: no two of her are nearer than 13 %. Chosen."""
SYNTHETIC = {
    "fit": ("ru+m1", "ru+m3", "ru+m7", "ru+f2", "ru+f4"),
    "report": ("en-us+m2", "es+m4", "en-us+m6", "es+f1", "en-us+f3", "es+f5"),
}
"""No variant is in both families."""
PHRASE_S = (0.8, 8.0)
PHRASES_MAX = 120

TEXTS = {
    "ru": (
        "Привет, как у тебя дела сегодня", "Я вчера была у бабушки, она передаёт тебе привет",
        "Да, конечно, я помню", "А что тебе сказал адвокат", "Мы все очень ждём тебя домой",
        "Подожди немного, я сейчас", "Нет, ещё не пришло письмо", "Собака опять убежала к соседям",
        "Ну хорошо, позвони мне в пятницу вечером", "Дети в школе, вернутся около трёх часов",
        "Он сказал, что машину починят только на следующей неделе", "Ага, понимаю",
    ),
    "en": (
        "Hello, how have you been this week", "I saw your mother on Sunday and she sends her love",
        "Yes, of course I remember", "What did the lawyer tell you", "Everybody is waiting for you",
        "Hold on a moment, I am coming", "No, the letter is not here yet", "Uh huh, I see",
        "The dog ran over to the neighbours again", "All right, call me on Friday evening",
        "The kids are at school until about three", "He said the car will be ready next week",
    ),
    "es": (
        "Hola, cómo te ha ido esta semana", "Vi a tu mamá el domingo y te manda un abrazo",
        "Sí, claro que me acuerdo", "Qué te dijo el abogado", "Todos te estamos esperando en casa",
        "Espera un momento, ya voy", "No, la carta todavía no llega", "Ajá, entiendo",
        "El perro se fue otra vez con los vecinos", "Bueno, llámame el viernes por la noche",
        "Los niños están en la escuela hasta las tres", "Dijo que el coche estará listo el lunes",
    ),
}  # fmt: skip
"""Invented small talk."""


def people(build: Path, family: str) -> list[Person]:
    """Everyone of a family."""
    found = []
    for name in sources.FAMILIES[family]:
        low, high = (int(s * 8000) for s in PHRASE_S)
        prompts = [one for one in sources.recordings(build, name) if low <= len(one) <= high]
        for speed in SPEEDS[name]:
            made = [respeed(one, speed) for one in prompts[:PHRASES_MAX]]
            found.append(person(f"{name} x {speed}", made))
    voice = SyntheticVoice()
    for name in SYNTHETIC[family]:
        texts = TEXTS[name[:2]]
        spoken = [voice.say(text, voice=name, words_per_minute=165) for text in texts]
        pcm = [np.clip(one, -32768, 32767).astype(np.int16) for one in spoken]
        found.append(person(name, [respeed(one, voice.rate_hz / 8000) for one in pcm]))
    return found
