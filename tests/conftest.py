"""Where the peers must be there (`KINLINE_PEERS=required`), a skipped live test is a failed one."""

import os
from collections.abc import Generator
from typing import Any

import pytest

REQUIRED = os.environ.get("KINLINE_PEERS") == "required"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    expected: Any = getattr(report, "wasxfail", None)
    if REQUIRED and report.skipped and expected is None and item.get_closest_marker("live"):
        report.outcome = "failed"
        report.longrepr = f"skipped, though KINLINE_PEERS=required: {report.longrepr}"
    return report
