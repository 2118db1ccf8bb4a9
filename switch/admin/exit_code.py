"""What a command line ends with: 0, 1 for the world's fault, 2 for yours; the fault in one line."""

import sys
from collections.abc import Callable

from switch.errors import KinlineError, UserError


def first_fault(error: BaseException) -> BaseException:
    """Return the first fault in a group of faults; one that stands alone is itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def guarded(work: Callable[[], int]) -> int:
    """Do the work of one command line; return its exit code."""
    try:
        return work()
    except UserError as error:
        sys.stderr.write(f"kinline: {error}\n")
        return 2
    except KinlineError as error:
        sys.stderr.write(f"kinline: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
