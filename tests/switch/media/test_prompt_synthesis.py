import subprocess
import sys
from pathlib import Path

import pytest

from switch.media.prompt_synthesis import main

ROOT = Path(__file__).parents[3]
SMALL = 'name = "x"\n[voice]\nname = "{voice}"\n[nouns]\n[phrases]\nhello = "{text}"\n'


def test_check_names_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = str(ROOT / "config" / "prompts")
    assert main(["--data", str(tmp_path), "--config", config, "--check"]) == 1
    assert "missing: es/enter_pin" in capsys.readouterr().err


def test_a_wrong_folder_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path), "--config", str(tmp_path)]) == 2
    assert "no prompts" in capsys.readouterr().err


@pytest.mark.live
@pytest.mark.slow
def test_pieces_are_made_once_and_again_when_their_text_changes(tmp_path: Path) -> None:
    config = tmp_path / "prompts"
    config.mkdir()

    def make(text: str) -> str:
        (config / "en.toml").write_text(SMALL.format(voice="en-us", text=text))
        command = [sys.executable, "-m", "switch.media.prompt_synthesis", "--data", str(tmp_path)]
        done = subprocess.run(
            [*command, "--config", str(config), "--name", "facility/F1=Northside"],
            cwd=ROOT, check=True, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return done.stdout

    assert not make("Hello.").startswith("0 ")
    assert make("Hello.") == "0 prompts made\n"
    assert make("Good day.") == "1 prompts made\n"
    assert len((tmp_path / "prompts" / "en" / "hello.ulaw").read_bytes()) > 4000
    assert (tmp_path / "prompts" / "en" / "facility" / "F1.ulaw").is_file()
