"""The command line, run as a person would, on a store that no switch holds."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from switch.admin import cli
from switch.admin.exit_code import guarded
from switch.admin.registry import commands
from switch.clock import SystemClock
from switch.store.engine import Store

PASSWORD = "correct horse battery"  # invented


@pytest.fixture
def data(tmp_path: Path) -> Path:
    async def make() -> None:
        store = await Store.open(tmp_path / "kinline.sqlite3", clock=SystemClock())
        await store.close()

    asyncio.run(make())
    return tmp_path


def run(*words: str) -> int:
    return guarded(lambda: cli.main(words, {"run": "the switch"}))


def ask(data: Path, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert run(*words, "--data", str(data), "--json") == 0
    return json.loads(capsys.readouterr().out)


def add_staff(data: Path, *roles: str) -> int:
    file = data / "lee.password"
    file.write_text(PASSWORD + "\n")
    words = ("staff", "add", "lee", "--role", *roles, "--password-file", str(file))
    return run(*words, "--data", str(data))


def test_staff_come_and_go(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert add_staff(data, "officer@F1", "ops") == 0
    capsys.readouterr()
    (member,) = ask(data, capsys, "staff", "list")
    assert (member["name"], member["roles"]) == ("lee", "officer@F1, ops@*")
    assert ask(data, capsys, "staff", "disable", "lee") == {"name": "lee", "disabled": True}
    assert ask(data, capsys, "staff")[0]["disabled"] is True


def test_what_was_changed_stands_in_the_trail_without_the_password(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_staff(data, "ops")
    capsys.readouterr()
    (entry,) = ask(data, capsys, "audit", "list")
    assert (entry["what"], entry["target"], entry["address"]) == ("staff add", "lee", "store")
    assert entry["who"].startswith("cli:")
    assert PASSWORD not in json.dumps(entry)
    assert "argon2" not in json.dumps(entry)
    verdict = ask(data, capsys, "audit", "verify")
    assert verdict["sound"]
    assert ask(data, capsys, "audit", "verify", "--head", verdict["head"])["sound"]


def test_a_trail_that_is_not_whole_ends_with_1(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = f"9:{'a' * 64}"
    assert run("audit", "verify", "--head", head, "--data", str(data)) == 1
    assert "published head 9" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("staff", "add", "lee", "--role", "king"), 2, "never an argument"),
        (("staff", "disable", "nobody"), 2, "There is nobody called nobody."),
        (("cut", "7", "--why", "x"), 2, "No switch runs on"),
        (("calls", "show", "7"), 2, "There is no record of a call 7."),
        (("audit", "verify", "--head", "x"), 2, "A head is written like"),
    ],
)
def test_a_mistake_is_one_sentence(
    data: Path,
    capsys: pytest.CaptureFixture[str],
    words: Sequence[str],
    code: int,
    says: str,
) -> None:
    assert run(*words, "--data", str(data)) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("kinline: ")
    assert says in said.err
    assert said.err.count("\n") == 1


def test_a_role_that_is_none_is_refused_by_name(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add_staff(data, "king") == 2
    assert "'king' is not a role" in capsys.readouterr().err


def test_a_short_password_is_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = data / "short"
    file.write_text("four")
    words = ("staff", "add", "lee", "--role", "ops", "--password-file", str(file))
    assert run(*words, "--data", str(data)) == 2
    assert "this one has 4" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("staff", "list", "--data", "/nowhere/at/all") == 2
    assert "There is no data directory /nowhere/at/all" in capsys.readouterr().err


def test_a_store_that_is_held_by_another_is_the_worlds_fault(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def hold() -> int:
        store = await Store.open(data / "kinline.sqlite3", clock=SystemClock())
        try:
            return await asyncio.to_thread(run, "staff", "list", "--data", str(data))
        finally:
            await store.close()

    assert asyncio.run(hold()) == 1
    assert capsys.readouterr().err.startswith("kinline: ")


@pytest.mark.parametrize("command", commands(), ids=lambda c: f"{c.noun} {c.verb}".strip())
def test_every_command_explains_itself_with_an_example(
    command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [command.noun, *([command.verb] if command.verb else []), "--help"]
    with pytest.raises(SystemExit) as ended:
        run(*words)
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert command.help.split()[0] in shown
    assert f"  kinline {command.noun}" in shown


def test_the_whole_help_names_every_noun_and_program(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--help")
    shown = capsys.readouterr().out
    assert all(command.noun in shown for command in commands())
    assert "run" in shown
    assert "examples:" in shown


def test_without_a_word_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 2
    assert "usage: kinline" in capsys.readouterr().out


def test_a_word_that_a_command_does_not_know_is_named_with_its_own_usage(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run("staff", "list", "--colour", "red", "--data", str(data))
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "does not know --colour red" in said
    assert "usage: kinline staff list" in said


def test_money_is_paid_in_with_a_reason(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opened = ask(data, capsys, "account", "open", "--number", "+15550100123")
    words = ("account", "fund", str(opened["id"]), "20.00", "--why", "cash at the window")
    assert ask(data, capsys, *words)["available"] == "20.00"
    entry = ask(data, capsys, "audit", "list")[-1]
    assert (entry["what"], entry["why"]) == ("account fund", "cash at the window")
