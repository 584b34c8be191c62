"""Text files end with one newline, their lines without blanks, and hold no mark of a merge: mended in place where that is safe.

    python scripts/ends.py FILE …

Exit status 1 where a file was changed, or holds a mark: look at it and add it again.
"""

import re
import sys
from pathlib import Path

MARK = re.compile(rb"^(<{7} |={7}$|>{7} )", re.MULTILINE)


def mended(content: bytes) -> bytes:
    """Without blanks at the ends of lines (two, in Markdown a line break, included: we write none) and at the end of the file."""
    lines = re.sub(rb"[ \t]+(?=\r?$)", b"", content, flags=re.MULTILINE).rstrip(b"\r\n")
    return lines + b"\n" if lines else b""


def main(names: list[str]) -> int:
    told = []
    for name in names:
        path = Path(name)
        content = path.read_bytes()
        if b"\0" in content:  # no text
            continue
        if MARK.search(content):
            told.append(f"{name}: marks of a merge that is not finished")
        elif (right := mended(content)) != content:
            path.write_bytes(right)
            told.append(f"{name}: ends of lines mended")
    print(*told, sep="\n", end="\n" if told else "")
    return int(bool(told))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
