"""Python loads this by itself in every process whose `PYTHONPATH` names its folder.

In a media worker, and in nothing else, it lets `tests.support.bank_tap` listen at the bank's input.
So the switch itself has no tap, and needs none to be tested.
"""

import os
import sys

if "switch.media.worker" in sys.orig_argv and "KINLINE_TEST_TAP" in os.environ:
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "1"  # as the worker does before numpy
    from tests.support import bank_tap

    bank_tap.listen(os.environ["KINLINE_TEST_TAP"])
