"""Evaluation of the detectors: `make detection`. Start with `__main__.py`.

Nothing here asserts. It measures, beside the anchors, on sound that is made from seeds or taken
from Debian packages at run time; neither is ever committed.
"""
