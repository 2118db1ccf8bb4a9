"""The narrated call of `make run`."""

from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Place the call."""
    raise NotImplementedError(argv)
