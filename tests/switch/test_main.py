"""The command `kinline`: who gets which words, and what is imported for them."""

import subprocess
import sys
from collections.abc import Sequence

import pytest

from switch import __main__ as command
from switch.errors import StoreError, UserError


@pytest.mark.parametrize(("fault", "code"), [(UserError("Not so."), 2), (StoreError("Gone."), 1)])
def test_a_program_gets_the_rest_of_the_line_and_its_fault_is_one_sentence(
    fault: Exception,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    heard: list[Sequence[str]] = []

    def program(rest: Sequence[str]) -> int:
        heard.append(rest)
        raise fault

    monkeypatch.setattr(command, "PROGRAMS", {"lab": ("phones", program)})
    assert command.main(["lab", "--x", "1"]) == code
    assert heard == [["--x", "1"]]
    assert capsys.readouterr().err == f"kinline: {fault}\n"


def test_other_words_are_for_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 2
    shown = capsys.readouterr().out
    assert "usage: kinline" in shown
    assert all(name in shown for name in command.PROGRAMS)


def test_a_program_of_the_lab_imports_no_switch() -> None:
    code = (
        "import sys; from switch.__main__ import main; main(['lab', '--help'])\n"
        "import switch.lab.scene\n"
        "print([name for name in ('sqlalchemy', 'alembic', 'numba') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "[]"
