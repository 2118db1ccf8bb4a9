"""What the pages say, in English and Spanish, by key. Holes are filled by `str.format`."""

from collections.abc import Mapping
from typing import Final

from switch.web.family_words import FAMILY_WORDS

# fmt: off
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    # key                 English                                 Spanish
    "language.name":      ("English",                             "Español"),
    "skip":               ("Skip to the calls",                   "Ir a las llamadas"),
    "ops.title":          ("Operations",                          "Operaciones"),
    "ops.calls":          ("Live calls",                          "Llamadas en curso"),
    "ops.trunks":         ("Trunks",                              "Troncales"),
    "ops.workers":        ("Media workers",                       "Procesos de audio"),
    "ops.none":           ("Nobody is on the phone.",             "Nadie está al teléfono."),
    "ops.no_trunks":      ("No trunk is set up.",                 "No hay troncales."),
    "ops.no_workers":     ("No worker has reported yet.",         "Ningún proceso ha informado."),
    "ops.more":           ("{n} more are not shown.",             "Hay {n} más."),
    "ops.live":           ("live",                                "en vivo"),
    "ops.stale":          ("reconnecting",                        "reconectando"),
    "ops.still":          ("still: reload to see news",           "fija: recargue para ver más"),
    "sum.calls":          ("calls",                               "llamadas"),
    "sum.talking":        ("talking",                             "hablando"),
    "sum.flagged":        ("with alarms",                         "con alarmas"),
    "sum.trunks":         ("trunks up",                           "troncales activas"),
    "sum.late":           ("late ticks",                          "ciclos tardíos"),
    "sum.draining":       ("draining: no new calls",              "cerrando: sin llamadas nuevas"),
    "sum.register":
        ("The privileged register is not whole: nothing is recorded, listened to or inspected.",
         "El registro privilegiado no está íntegro: no se graba, ni se escucha, ni se analiza."),
    "sum.serving":        ("serving",                             "en servicio"),
    "col.call":           ("Call",                                "Llamada"),
    "col.state":          ("State",                               "Estado"),
    "col.facility":       ("Facility",                            "Centro"),
    "col.terminal":       ("Terminal",                            "Terminal"),
    "col.class":          ("Class",                               "Clase"),
    "col.elapsed":        ("Elapsed",                             "Duración"),
    "col.balance":        ("Balance left",                        "Saldo"),
    "col.left":           ("Time left",                           "Tiempo restante"),
    "col.detections":     ("Detections",                          "Detecciones"),
    "col.action":         ("Action",                              "Acción"),
    "col.trunk":          ("Trunk",                               "Troncal"),
    "col.channels":       ("Calls",                               "Llamadas"),
    "col.registered":     ("Registered",                          "Registrada"),
    "col.worker":         ("Worker",                              "Proceso"),
    "col.legs":           ("Legs",                                "Ramas"),
    "col.inspected":      ("Inspected",                           "Inspeccionadas"),
    "col.late":           ("Late ticks",                          "Ciclos tardíos"),
    "col.shed":           ("Not inspected",                       "Sin inspección"),
    "col.p99":            ("Tick p99",                            "Ciclo p99"),
    "yes":                ("yes",                                 "sí"),
    "no":                 ("no",                                  "no"),
    "up":                 ("up",                                  "activa"),
    "down":               ("down",                                "caída"),
    "state.off_hook":     ("off hook",                            "descolgado"),
    "state.language":     ("language",                            "idioma"),
    "state.pin":          ("PIN",                                 "PIN"),
    "state.number":       ("number",                              "número"),
    "state.screening":    ("screening",                           "control"),
    "state.voice_check":  ("voice check",                         "control de voz"),
    "state.quote":        ("quote",                               "precio"),
    "state.ringing":      ("ringing",                             "sonando"),
    "state.greeting":     ("greeting",                            "saludo"),
    "state.talking":      ("talking",                             "hablando"),
    "state.closing":      ("closing",                             "cerrando"),
    "state.done":         ("done",                                "terminada"),
    "class.":             ("",                                    ""),
    "class.ordinary":     ("ordinary",                            "ordinaria"),
    "class.free":         ("free",                                "gratuita"),
    "class.hotline":      ("hotline",                             "línea de ayuda"),
    "class.privileged":   ("privileged",                          "privilegiada"),
    "kind.hookflash":     ("hookflash",                           "toque de gancho"),
    "kind.dial_tone":     ("dial tone",                           "tono de marcar"),
    "kind.ringback":      ("second ringing",                      "segundo timbre"),
    "kind.busy":          ("busy tone",                           "tono de ocupado"),
    "kind.sit":           ("out-of-service tones",                "tonos de fuera de servicio"),
    "kind.three_way":     ("third party",                         "tercera persona"),
    "kind.call_waiting":  ("call waiting",                        "llamada en espera"),
    "kind.forwarded":     ("forwarded",                           "desviada"),
    "kind.extra_digits":  ("extra digits",                        "dígitos extra"),
    "kind.noise_masking": ("masking noise",                       "ruido"),
    "kind.noise_anomaly": ("change of noise",                     "cambio de ruido"),
    "kind.device_switch": ("other device",                        "otro aparato"),
    "kind.inmate_to_inmate": ("joined calls",                     "llamadas unidas"),
    "kind.machine":       ("machine",                             "contestador"),
    "kind.silence_long":  ("long silence",                        "silencio largo"),
    "tier.cut_eligible":  ("alarm",                               "alarma"),
    "tier.warn":          ("warning",                             "aviso"),
    "tier.log":           ("noted",                               "anotada"),
    "cut.button":         ("Cut",                                 "Cortar"),
    "cut.label":          ("Cut the call on terminal {terminal}",
                           "Cortar la llamada del terminal {terminal}"),
    "cut.title":          ("Cut this call?",                      "¿Cortar esta llamada?"),
    "cut.says":           ("Both sides hear that staff ended the call.",
                           "Ambos lados oirán que el personal terminó la llamada."),
    "cut.why":            ("Why (kept for good)",                 "Por qué (se guarda siempre)"),
    "cut.off":            ("Turn the terminal off",               "Apagar el terminal"),
    "cut.off.0":          ("no",                                  "no"),
    "cut.off.15":         ("for 15 minutes",                      "por 15 minutos"),
    "cut.off.60":         ("for an hour",                         "por una hora"),
    "cut.do":             ("Cut the call",                        "Cortar la llamada"),
    "cut.leave":          ("Leave it",                            "Dejarla"),
    "cut.done":           ("The call on terminal {terminal} is being ended.",
                           "La llamada del terminal {terminal} está terminando."),
    "cut.gone":           ("That call is over already.",          "Esa llamada ya terminó."),
    "cut.no_reason":      ("Say why, in a few words.",
                           "Diga por qué, en pocas palabras."),
    "in.title":           ("Sign in",                             "Entrar"),
    "in.name":            ("Name",                                "Nombre"),
    "in.password":        ("Password",                            "Contraseña"),
    "in.code":            ("Code of your authenticator app",      "Código de su aplicación"),
    "in.do":              ("Sign in",                             "Entrar"),
    "in.wrong":           ("Name, password or code is wrong.",
                           "Nombre, contraseña o código incorrectos."),
    "in.slow":            ("Too many tries. Wait {n} minutes.",
                           "Demasiados intentos. Espere {n} minutos."),
    "in.staff":           ("For staff. Every sign-in is recorded.",
                           "Para el personal. Cada entrada queda registrada."),
    "out.do":             ("Sign out",                            "Salir"),
    "status.title":       ("Status",                              "Estado"),
    "status.up":          ("The telephones work.",                "Los teléfonos funcionan."),
    "status.draining":    ("Service is about to begin: no new calls for a while.",
                           "Mantenimiento: por un momento no hay llamadas nuevas."),
    "error.400":          ("That was not understood.",            "No se entendió."),
    "error.403":          ("You may not do that here.",           "No tiene permiso para eso."),
    "error.404":          ("There is no such page.",              "No existe esa página."),
    "error.405":          ("That is not possible here.",          "Eso no es posible aquí."),
    "error.413":          ("That is too long.",                   "Es demasiado largo."),
    "error.503":          ("Too many pages are open. Try again later.",
                           "Hay demasiadas páginas abiertas. Intente más tarde."),
    "error.back":         ("Back",                                "Volver"),
    **FAMILY_WORDS,
}
# fmt: on

LANGUAGES: Final = ("en", "es")
"""In the order of the columns."""


class Words:
    """The words of one language, called from templates as `say("key", n=3)`."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else LANGUAGES[0]
        self._column = LANGUAGES.index(self.language)

    def __call__(self, key: str, **holes: object) -> str:
        """Return a sentence; a word that the switch made and we do not know stands as it is."""
        found = WORDS.get(key)
        if found is None:
            return key.partition(".")[2].replace("_", " ")
        return found[self._column].format(**holes)


def preferred(accept_language: str) -> str:
    """Choose from the header that browsers send. RFC 9110 section 12.5.4, without weights."""
    for part in accept_language.split(",")[:10]:
        tag = part.split(";")[0].strip().lower().split("-")[0]
        if tag in LANGUAGES:
            return tag
    return LANGUAGES[0]
