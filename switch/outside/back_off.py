"""How long to wait before something is tried again."""


def doubled_s(tries: int, *, first_s: float, most_s: float) -> float:
    """Return how long to wait after so many tries: twice as long each time, up to `most_s`."""
    return min(first_s * 2.0 ** min(tries, 20), most_s)
