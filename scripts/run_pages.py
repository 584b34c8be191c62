"""Run what the pages show: every output in them must be what its command prints today.

    python scripts/run_pages.py [--write] [PAGE.md …]        (without a page: README.md and all of docs/)

A page is run from top to bottom, in an empty folder of its own, by this Python and this repository; docs/pages.md says
what each kind of block does. --write puts in what was printed where it differs.
Exit status: 0 all as shown, 1 not, 2 no such page.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FENCE = r"^(?P<fence>`{3,})(?P<language>[\w-]*)(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=fence) *$"
PRINTED = r"^<!-- printed by: (?P<command>[^\n]+) -->\n(?P<printed>.*?)^<!-- end -->$"
TYPED = r"^<!-- typed into: (?P<book>[^,\n]+), (?P<sheet>[^\n]+) -->\n\n(?P<table>(?:\|[^\n]*\n)+)"
PART = re.compile(f"{FENCE}|{PRINTED}|{TYPED}", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"\s*^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.*\n(?:> .*\n)*)((?:(?!\$ ).*\n)*)", re.MULTILINE)
COPY = "<!-- runs in a copy of the repository -->"
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "out", "site", "dist", "build", "results.jsonl")
LEFT_OUT = "[…]"
END = "-- status "
PATIENCE = 300  # seconds for one block: more is not an example


def tidy(text: str) -> str:
    """Without blanks at the ends of lines, nor empty lines at both ends; one newline at the end of what there is."""
    text = "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")
    return text + "\n" if text else ""


def same(shown: str, printed: str) -> bool:
    """Whether `printed` is what `shown` says, where `[…]` is anything."""
    pattern = ""
    for line in tidy(shown).splitlines():
        if line.strip() == LEFT_OUT:
            pattern += r"(?:.*\n)+?"
        else:
            pattern += ".*".join(map(re.escape, line.split(LEFT_OUT))) + r"\n"
    return re.fullmatch(pattern, tidy(printed)) is not None


class Page:
    """One page, run once: `problems` with their lines, and `edits` that would mend the outputs."""

    def __init__(self, path: Path) -> None:
        self.path, self.text = path, path.read_text(encoding="utf-8")
        self.problems: list[str] = []
        self.differs: list[str] = []  # outputs that are not as shown; `problems` is what no writing mends
        self.edits: list[tuple[int, int, str]] = []
        self.namespace: dict[str, Any] = {"__name__": "__page__"}

    def run(self) -> None:
        """From top to bottom, in a folder of its own: this process moves there."""
        with tempfile.TemporaryDirectory() as top:
            folder = Path(top) / "page"
            copied = COPY in self.text.splitlines()
            if copied:
                shutil.copytree(ROOT, folder, ignore=NOT_COPIED)
            folder.mkdir(exist_ok=True)
            (folder / ".venv").symlink_to(sys.prefix)
            with contextlib.suppress(FileExistsError):
                (folder / "examples").symlink_to(ROOT / "examples")
            with contextlib.suppress(OSError):  # absent: blocks that need it are left alone
                (Path(top) / "shared").symlink_to((ROOT.parent / "shared").resolve(strict=True))
            home = {name: str(Path(top) / "home") for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")}
            searched = str(folder if copied else ROOT)
            os.environ.update(
                home, PYTHONPATH=searched, PYTHONUNBUFFERED="1", NO_COLOR="1", PYTHONDONTWRITEBYTECODE="1"
            )
            os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
            sys.path.insert(0, searched)
            os.chdir(folder)
            try:
                for part in PART.finditer(self.text):
                    self._part(part)
            finally:
                os.chdir(ROOT)

    def _part(self, part: re.Match[str]) -> None:
        start = part.start("body")
        if part["book"]:
            from type_in import type_in  # beside this file

            try:
                type_in(Path(part["book"]), part["sheet"], part["table"])
            except Exception as error:
                self._tell(part.start("table"), f"it cannot be typed in: {error!r}")
            return
        if part["command"]:
            self._judge(part.start("printed"), part["printed"], *shell(part["command"], ROOT), exact=True)
            return
        info = dict(re.findall(r'(\w+)="([^"]*)"', part["info"]))
        if "needs" in info and not Path(info["needs"]).exists():
            print(f"{self._place(start)}: left as it is, without {info['needs']}")
        elif "title" in info:
            target = Path(info["title"])
            if not target.resolve().is_relative_to(Path.cwd()):
                self._tell(start, f"{target} is outside the page's folder")
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(part["body"], encoding="utf-8")
        elif part["language"] == "console":
            self._console(part)
        elif part["language"] == "python":
            self._python(part)

    def _console(self, part: re.Match[str]) -> None:
        found = list(COMMAND.finditer(part["body"]))
        if not found or found[0].start():
            self._tell(part.start("body"), "a console block begins with a command: $ …")
        commands = [re.sub(r"^> ", "", one[1], flags=re.MULTILINE) for one in found]
        script = "".join(f"{each}_s=$?; printf '\\n{END}%d\\n' $_s; (exit $_s)\n" for each in commands)
        told = re.split(
            rf"\n{END}(\d+)\n", shell(script, Path.cwd())[0]
        )  # output, status, output, status … and what came after the last
        for rank, one in enumerate(found):
            printed, status = (told[2 * rank], int(told[2 * rank + 1])) if 2 * rank + 1 < len(told) else (told[-1], 1)
            expected = commands[rank + 1 : rank + 2] == ["echo $?\n"]
            self._judge(part.start("body") + one.start(2), one[2], printed, 0 if expected else status)

    def _python(self, part: re.Match[str]) -> None:
        written, status = io.StringIO(), 0
        above = self.text.count("\n", 0, part.start("body"))
        code = "\n" * above + part["body"]  # so that a trace tells the page's line
        with contextlib.redirect_stdout(written):
            try:
                exec(compile(code, str(self.path), "exec"), self.namespace)
            except Exception:
                traceback.print_exc(file=written)
                status = 1
        shown = SHOWN.match(self.text, part.end())
        if shown:
            self._judge(shown.start(1), shown[1], written.getvalue(), status)
        elif status or written.getvalue():
            self._tell(part.start("body"), f"it prints, and no block ```text follows:\n{written.getvalue()}")

    def _judge(self, start: int, shown: str, printed: str, status: int, exact: bool = False) -> None:
        if status:
            self._tell(start, f"exit status {status}:\n{printed}")
        elif tidy(shown) != tidy(printed) if exact else not same(shown, printed):
            lines = (tidy(text).splitlines() for text in (shown, printed))
            self.edits.append((start, start + len(shown), tidy(printed)))
            difference = "\n".join(difflib.unified_diff(*lines, "shown", "printed", lineterm=""))
            self.differs.append(f"{self._place(start)}: {difference}")

    def _place(self, start: int) -> str:
        return f"{self.path}, line {self.text.count(chr(10), 0, start) + 1}"

    def _tell(self, start: int, problem: str) -> None:
        self.problems.append(f"{self._place(start)}: {problem}")

    def write(self) -> None:
        """The page with what was printed."""
        text = self.text
        for start, end, printed in reversed(self.edits):
            text = text[:start] + printed + text[end:]
        self.path.write_text(text, encoding="utf-8")


def shell(said: str, folder: Path) -> tuple[str, int]:
    """What commands print, on both outputs together, and the last exit status."""
    try:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", said], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8", timeout=PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"stopped after {PATIENCE} s", 124
    return done.stdout, done.returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put in what was printed where it differs")
    parser.add_argument("--jobs", type=int, default=2, help="pages at a time")
    parser.add_argument("pages", type=Path, nargs="*")
    said = parser.parse_args()
    chosen = [path.absolute() for path in said.pages] or [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if absent := [str(path) for path in chosen if not path.is_file()]:
        print("no such page:", *absent, file=sys.stderr)
        return 2
    if len(chosen) > 1:  # each in a process of its own
        own = [sys.executable, __file__, *(["--write"] if said.write else [])]
        with ThreadPoolExecutor(said.jobs) as pool:
            statuses = list(pool.map(lambda path: subprocess.run([*own, str(path)], check=False).returncode, chosen))
        return max(statuses)
    page = Page(chosen[0])
    page.run()
    if said.write and page.edits:
        page.write()
        print(f"{page.path}: {len(page.edits)} outputs written")
    problems = page.problems if said.write else page.problems + page.differs
    print(*problems, sep="\n\n", end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
