import ast
from pathlib import Path

import pytest

from switch.lab import scene_terminal

ROOT = Path(__file__).parents[3]


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_only_its_own_process_imports_pyvoip() -> None:
    """It is GPL-3: nothing of ours may be loaded with it but the module that talks to it."""
    users = {
        path.name
        for path in ROOT.glob("switch/**/*.py")
        if any(name.split(".")[0] == "pyVoIP" for name in imported(path))
    }
    assert users == {"pyvoip_terminal.py"}


def test_nothing_imports_the_process_that_imports_pyvoip() -> None:
    users = [
        path.name
        for path in ROOT.glob("switch/**/*.py")
        if "switch.lab.pyvoip_terminal" in imported(path)
    ]
    assert not users


def test_without_the_extra_the_lab_telephone_is_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scene_terminal, "find_spec", lambda name: None)
    assert scene_terminal.chosen_kind("") == "lab"
    assert scene_terminal.chosen_kind("pyvoip") == "pyvoip"


def test_the_lab_telephone_can_be_chosen() -> None:
    assert scene_terminal.chosen_kind("lab") == "lab"
