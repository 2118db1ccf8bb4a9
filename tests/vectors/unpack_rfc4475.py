"""Take the torture messages out of the RFC. Source: RFC 4475 Appendix A.

python -m tests.vectors.unpack_rfc4475 rfc4475.txt
"""

import base64
import io
import re
import sys
import tarfile
from pathlib import Path

FOLDER = Path(__file__).parent / "rfc4475"
MARKS = re.compile(
    r"-- BEGIN MESSAGE ARCHIVE --\s*$(.*?)-- END MESSAGE ARCHIVE --", re.DOTALL | re.MULTILINE
)


def unpack(text: str) -> dict[str, bytes]:
    """Return file name to message. The last pair of marks is the archive; running heads and
    feet have spaces inside, base64 has none."""
    archive = MARKS.findall(text)[-1]
    data = "".join(line.strip() for line in archive.splitlines() if len(line.split()) == 1)
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(data))) as tar:
        files = [(member, tar.extractfile(member)) for member in tar if member.isfile()]
        return {Path(member.name).name: file.read() for member, file in files if file is not None}


def main(path: str) -> None:
    """Write every message to the folder of vectors."""
    FOLDER.mkdir(exist_ok=True)
    messages = unpack(Path(path).read_text(encoding="latin-1"))
    for name, data in messages.items():
        (FOLDER / name).write_bytes(data)
    sys.stdout.write(f"{len(messages)} messages in {FOLDER}\n")


if __name__ == "__main__":
    main(sys.argv[1])
