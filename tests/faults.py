"""Commands that write, killed or refused by the disk at each moment: what stands there is whole, old or new, and the same
command afterwards succeeds.

    python tests/faults.py [--only export] [--step 1]

A command is run in a copy of this process. At its k-th act on the disk under its target (a file opened to be written, renamed,
removed; a folder made) the copy is killed, or the disk is full from then on, or read-only. Then: every file there must be one
that the command writes when nothing happens, or the one that stood there before, byte for byte but for dates in workbooks; a
full disk ends with status 2 and words, no traceback; run again, the command writes all. Seconds and moments are reported.
"""

from __future__ import annotations

import argparse
import errno
import io
import os
import shutil
import signal
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

KILLED = -signal.SIGKILL
KINDS: dict[str, int | None] = {"kill": None, "full": errno.ENOSPC, "read-only": errno.EROFS}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass
class Command:
    """`arguments` of the command line for a target; `target`: the folder or file that it writes."""

    arguments: Callable[[Path], list[str]]
    target: str


@dataclass
class Report:
    moments: int = 0
    runs: int = 0
    failures: list[str] = field(default_factory=list)


class Disk:
    """Counts what is done under a folder; from the k-th act on, what is to happen happens."""

    def __init__(self, under: Path, k: int, kind: str) -> None:
        self.under, self.k, self.kind, self.acts = str(under), k, kind, 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(flags, int) or not flags & WRITES:
                return
        elif event in ("os.rename", "os.remove", "os.mkdir", "os.link", "os.symlink", "os.truncate"):
            path = arguments[0]
        else:
            return
        if not isinstance(path, str | os.PathLike | bytes) or not os.path.abspath(os.fsdecode(path)).startswith(
            self.under
        ):
            return
        self.acts += 1
        if self.acts < self.k:
            return
        number = KINDS[self.kind]
        if number is None:
            os.kill(os.getpid(), signal.SIGKILL)
        elif event != "os.remove" or self.kind == "read-only":  # to remove needs no room; where nothing may be written, it is refused too
            raise OSError(number, os.strerror(number))


def commands(place: Path) -> dict[str, Command]:
    """Every command that writes files, on a small scenario written in `place`."""
    import test_importers_formats as of
    from valley import valley

    from allocator.formats import saving

    scenario = place / "vallee"
    saving.save(valley(lumpy=True), scenario)
    (place / "ti.csv").write_text(of.TI, encoding="utf-8")
    given = str(scenario)
    return {
        "solve": Command(lambda at: ["solve", given, "--out", str(at)], "plan"),
        "export folder": Command(lambda at: ["export", given, "--out", str(at)], "dossier"),
        "export xlsx": Command(lambda at: ["export", given, "--out", str(at)], "s.xlsx"),
        "template": Command(lambda at: ["template", str(at)], "modele.xlsx"),
        "compare": Command(lambda at: ["compare", given, given, "--out", str(at)], "comparaison"),
        "frontier": Command(
            lambda at: ["frontier", given, "--x", "emplois", "--y", "euros", "--points", "4", "--out", str(at)], "frontiere"
        ),
        "sweep": Command(
            lambda at: ["sweep", given, "--vary", "funds.friches.amount=-10 %,+10 %", "--jobs", "1", "--out", str(at)], "sweep"
        ),
        "import": Command(lambda at: ["import", "ti", str(place / "ti.csv"), "--out", str(at)], "import"),
    }  # fmt: skip


def run(command: Command, at: Path, k: int = 0, kind: str = "kill") -> tuple[int, str, int]:
    """(exit status, what it said, acts on the disk) of a copy of this process; `k` 0: nothing happens to it."""
    said, heard = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(said)
            from allocator.cli import main

            out = io.StringIO()
            disk = Disk(at, k or 10**9, kind)
            sys.addaudithook(disk)
            with redirect_stdout(out), redirect_stderr(out):
                status = main(command.arguments(at))
            os.write(heard, f"{disk.acts}\n{out.getvalue()[-3000:]}".encode())
        finally:
            os._exit(status)
    os.close(heard)
    with os.fdopen(said, "rb") as pipe:
        words = pipe.read().decode()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    acts, _, rest = words.partition("\n")
    return status, rest, int(acts or 0)


def content(at: Path) -> dict[str, Any]:
    """What stands at a target, by name; of a zip (a workbook) what is in it, but for dates; of a table its bytes. Files that
    are on their way, which begin with a point, are left out."""
    files: Iterable[Path] = at.rglob("*") if at.is_dir() else [at] if at.exists() else []
    found: dict[str, Any] = {}
    for file in files:
        if not file.is_file() or file.name.startswith("."):
            continue
        data = file.read_bytes()
        if file.suffix == ".xlsx":
            with zipfile.ZipFile(io.BytesIO(data)) as book:
                found[file.name] = {n: book.read(n) for n in book.namelist() if "docProps" not in n}
        elif file.name in ("sweep.json", "import.json", "summary.json", "frontier.json") or file.suffix == ".parquet":
            found[file.name] = len(data) > 0  # they hold times
        else:
            found[file.name] = data
    return found


def tried(name: str, command: Command, place: Path, step: int) -> Report:
    """A command at each of its moments, on a target that is not there and on one of before."""
    report = Report()
    at = place / "target" / command.target
    at.parent.mkdir(exist_ok=True)

    def anew(old: dict[str, bytes] | None) -> None:
        shutil.rmtree(at.parent)
        at.parent.mkdir()
        for file, data in (old or {}).items():
            path = at / file if at.suffix != ".xlsx" else at
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)

    anew(None)
    status, words, acts = run(command, at)
    assert status == 0, (name, status, words)
    new, report.moments = content(at), acts
    files = [at] if at.is_file() else [file for file in at.rglob("*") if file.is_file()]
    before = {file.name: file.read_bytes() for file in files if file.suffix in (".csv", ".yaml", ".xlsx")}
    for kind in KINDS:
        for old in (None, before):
            for k in range(1, acts + 1, step):
                anew(old)
                was = content(at)
                status, words, _ = run(command, at, k, kind)
                report.runs += 1
                found = content(at) if _readable(at) else None
                where = f"{name}, {kind} at {k} of {acts}, {'anew' if old is None else 'over an older one'}"
                if found is None or any(data not in (new.get(file), was.get(file)) for file, data in found.items()):
                    report.failures.append(f"{where}: a file is neither the old nor the new one")
                if kind == "kill" and status not in (KILLED, 0):
                    report.failures.append(f"{where}: status {status}: {words[-300:]}")
                if kind != "kill" and (status not in (0, 2) or "Traceback" in words or (status == 2 and not words)):
                    report.failures.append(f"{where}: status {status}: {words[-300:]}")
                status, words, _ = run(command, at)
                if status != 0 or content(at).keys() != new.keys():
                    report.failures.append(f"{where}: run again, status {status}: {words[-300:]}")
    return report


def _readable(at: Path) -> bool:
    try:
        content(at)
    except (OSError, zipfile.BadZipFile):
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="commands whose name begins so")
    parser.add_argument("--step", type=int, default=1, help="every so many moments")
    asked = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, command in commands(Path(folder)).items():
            if asked.only and not name.startswith(asked.only):
                continue
            start = time.monotonic()
            report = tried(name, command, Path(folder), asked.step)
            failures += len(report.failures)
            print(f"{name}: {report.moments} moments, {report.runs} runs, {len(report.failures)} failures, "
                  f"{time.monotonic() - start:.0f} s", flush=True)  # fmt: skip
            for failure in report.failures[:5]:
                print(f"    {failure}", flush=True)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
