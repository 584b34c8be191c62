"""Every reader of files under mutation: a result or a `ScenarioError` with places and words, nothing else.

    python tests/fuzz_inputs.py --cases 50000 --seed 1 [--only xlsx]

Case k of a reader is made from (seed, reader, k) alone: a failure is made again with the numbers that the report gives.
Each case runs in this process, with at most `SECONDS` of the processor (six times as many by the clock), and
with at most `MEGABYTES` of address space over the start's.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import allocator
from allocator.importers import importers
from allocator.problems import Problem, ScenarioError
from allocator.store import StoreError
from allocator.texts import Text

SECONDS, MEGABYTES = 10, 1024

TERRITORIES = "id,name,region,departement,population\n010,Évry,84,01,100\n020,B,11,75,200\n"
DEMANDS = 'id,territory,measure,units,asked,emplois,beneficiary\nd1,010,rebond,2,100000,12,b1\nd2,020,friche,"1,5",10 k€,3,b2\n'
AID = "beneficiary,date,amount\nb1,2025-01-31,1000\nb2,2024,2 k€\n"
GRANTS = "demand,territory,measure,fund,year,cents\nd1,010,rebond,ti,2026,10000000\nd2,020,friche,ti,2026,500000\n"
YAML = """\
name: essai
years: [2026, 2027]
funds:
  - {id: ti, amount: 2 M€, max_rate: 80 %}
  - {id: friches, amounts: {2026: 500 k€, 2027: 1e5}, on: {measures: friche}}
measures:
  - {id: rebond, lumpy: true}
  - {id: friche}
territories: territories.csv
demands: demands.csv
prior_aid: aid.csv
constraints:
  - {kind: ceiling, id: plafond, on: {where: {departement: "01"}}, amount: "1 234,50 €"}
  - {kind: count, id: deux, on: {measures: rebond}, max: 2}
  - {kind: continuity, id: suite, reference: grants.csv, max_change: 0.5}
  - {kind: contains, id: liste, reference: [{demand: d1, cents: 100}]}
objective:
  maximise: {emplois: 1}
"""
LAYER = "name: variante\nbase: scenario.yaml\ndemands: {change: more.csv}\nchanges:\n  funds.ti.amount: +10 %\n"
MORE = "id,asked,remove\nd1,90000,\nd2,,true\n"
WITH = (
    "uncertain:\n  - {id: prix, on: {measures: [friche]}, what: cost, by: all, gives: factor, range: [0.9, 1.2]}\n"
    "futures:\n  - {id: moins, changes: {funds.friches.amounts.2026: -20 %}}\n"
)
PB = (
    "META\nkey;value\nunit;Ville\ninstance;2024\nbudget;100\nPROJECTS\nproject_id;cost;votes;name\n"
    'a;60.5;10;"Bancs; nord"\nb;50;9;Lampes\nVOTES\nvoter_id;vote\n1;a,b\n2;a\n'
)

# What people and attackers write where a value stands.
NASTY = (
    "", "-1", "0", "1e400", "1e99999999999999999999", "-1e-400", "9" * 400, "1" * 5000, ".nan", ".inf", "NaN", "inf", "null",
    "~", "true", "0x10", "1_000", "２０２６", "٣", "²", "½", "1/0", "10**9", "2 M€ ou 3", "=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)",
    "-2+3", "\t=1", "\r=1", "\x00", "a\x00b", "\u202egnp.exe", "\u200f", "\ufeff", "e\u0301vry", "évry", "\ud7ff\uffff", "🧨" * 99,
    "x" * 200_000, "[" * 500, "{a: " * 200, "*a", "&a [*a, *a]", "!!python/object/apply:os.system [id]", "!!binary aGk=",
    "<<: {a: 1}", "../../../../etc/passwd", "/etc/passwd", "/dev/zero", "/dev/stdin", "/proc/self/mem", "..", ".", "~root",
    "C:\\x", "lien.csv", "file:///etc/passwd", "http://[::1", "x" * 5000 + ".csv", "{}", "[]", "[[]]", "{a: {b: {c: 1}}}", "- ",
    "? x", ": ", "'", '"', "#", "%", "\\", "\n", "\r\n", ",", ";", "\x85", "\u2028", "2026-13-45", "0000", "99999", "-2026",
    "<!ENTITY x SYSTEM 'file:///etc/passwd'>", "&x;", '"\\ud800"', "1048577", "4294967296", "18446744073709551616", "ZZZZ9999999999",
)  # fmt: skip


@dataclass
class Reader:
    """`files` by name, and what reads them in a folder; `target`: the files that are mutated."""

    files: dict[str, bytes]
    read: Callable[[Path], object]
    target: tuple[str, ...]


@dataclass
class Report:
    """What became of a reader's cases. `failures`: (case, what was seen)."""

    cases: int = 0
    accepted: int = 0
    refused: int = 0
    seconds: float = 0.0
    megabytes: float = 0.0
    failures: list[tuple[int, str]] = field(default_factory=list)


class TooLong(BaseException):
    """A case that took more than `SECONDS`: no reader may catch it."""


def readers(scratch: Path) -> dict[str, Reader]:
    """Every reader by name; `scratch` is a folder to write examples in."""
    from allocator import references
    from allocator.formats import saving
    from allocator.formats.decided import read_grants
    from allocator.report.files import write_plan
    from allocator.risk import uncertainty
    from allocator.store import content

    folder = {"scenario.yaml": YAML, "territories.csv": TERRITORIES, "demands.csv": DEMANDS, "aid.csv": AID,
              "grants.csv": GRANTS, "variante.yaml": LAYER, "more.csv": MORE, "with.yaml": WITH}  # fmt: skip
    files = {name: text.encode() for name, text in folder.items()}
    _write(scratch, files)
    scenario = allocator.load(scratch / "scenario.yaml")
    [book] = saving.save(scenario, scratch / "s.xlsx")
    plan = allocator.solve(scenario.with_(constraints=[]))
    result = next(path for path in write_plan(plan, scratch / "plan") if path.suffix == ".xlsx")
    parts, tables = content.of_scenario(scenario)
    pabulib = next(importer for importer in importers() if importer.FORMAT == "pabulib")
    options = argparse.Namespace(fund=None, per_district=None)

    def loads(name: str) -> Callable[[Path], object]:
        return lambda at: allocator.load(at / name)

    def grants(at: Path) -> object:
        try:
            return references.read(str(at / "grants.csv"))
        except ValueError as error:  # what pydantic turns into a problem: a message and a remedy
            if type(error) is not ValueError or type(error.args[0]).__name__ != "Text":
                raise
            raise ScenarioError([Problem("grants.csv", error.args[0])]) from None

    more = (
        _importing() | _kept(scratch, scenario, plan) | _asked(scratch, scenario, files) | _sent(scenario, book, files)
    )
    tables_csv = ("territories.csv", "demands.csv", "aid.csv", "grants.csv")
    return {
        "yaml": Reader(files, loads("scenario.yaml"), ("scenario.yaml",)),
        "csv": Reader(files, loads("scenario.yaml"), tables_csv),
        "folder": Reader(files, loads("variante.yaml"), ("variante.yaml", "more.csv", "scenario.yaml", "demands.csv")),
        "xlsx": Reader({"s.xlsx": book.read_bytes()}, loads("s.xlsx"), ("s.xlsx",)),
        "ods": Reader({"s.ods": _ods()}, loads("s.ods"), ("s.ods",)),
        "plan.xlsx": Reader({"p.xlsx": result.read_bytes()}, lambda at: read_grants(at / "p.xlsx"), ("p.xlsx",)),
        "grants.csv": Reader(files, grants, ("grants.csv",)),
        "uncertainty": Reader(files, lambda at: uncertainty.load(at / "with.yaml", scenario), ("with.yaml",)),
        "pabulib": Reader({"v.pb": PB.encode()}, lambda at: pabulib.run([str(at / "v.pb")], options).files("pabulib"), ("v.pb",)),
        "json": Reader({"parts.json": parts.encode()}, lambda at: _rebuilt(at, tables), ("parts.json",)),
        **more,
    }  # fmt: skip


def _importing() -> dict[str, Reader]:
    """Every format of public files, and one in a workbook and in a zip."""
    import test_importers_formats as of
    import test_importers_more as more

    texts = {"ti": of.TI, "fonds-friches": of.APPLICATIONS, "cartofriches": of.SITES, "chomage": of.RATES,
             "indicators": of.COMMUNES, "fonds-vert": more.VERT_2023, "flores": more.JOBS, "enaf": more.LAND}  # fmt: skip
    beside = {"chomage": {"zones.csv": of.ZONES.encode()}}

    def reads(form: str, name: str) -> Callable[[Path], object]:
        importer = next(each for each in importers() if form == each.FORMAT)
        parser = argparse.ArgumentParser()
        importer.arguments(parser)
        given = {"fonds-vert": ["--year", "2023"], "indicators": ["--key", "Code commune", "--sum", "Sites"]}
        options = parser.parse_args(given.get(form, []))
        return lambda at: importer.run(
            [str(at / name), *(str(at / each) for each in beside.get(form, ()))], options
        ).files(form)

    found = {f"import {form}": Reader({"x.csv": text.encode(), **beside.get(form, {})}, reads(form, "x.csv"), ("x.csv",))
             for form, text in texts.items()}  # fmt: skip
    book, packed = io.BytesIO(), io.BytesIO()
    import openpyxl

    sheets = openpyxl.Workbook()
    for row in csv.reader(io.StringIO(of.TI)):
        sheets.active.append(row)
    sheets.save(book)
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("ti.csv", of.TI)
    found["import xlsx"] = Reader({"x.xlsx": book.getvalue()}, reads("ti", "x.xlsx"), ("x.xlsx",))
    found["import zip"] = Reader({"x.zip": packed.getvalue()}, reads("ti", "x.zip"), ("x.zip",))
    return found


def _kept(scratch: Path, scenario: allocator.Scenario, plan: Any) -> dict[str, Reader]:
    """What a program kept, changed by another hand: a store, the folder of a sweep."""
    from allocator.store import Store
    from allocator.sweep import folder

    with Store(scratch / "s.sqlite") as store:
        name = store.save(plan, who="x")
        store.decide(name, "oui", who="x")
    allocator.sweep(scenario, {"funds.ti.amount": ["1 M€", "2 M€"]}, out=scratch / "swept")
    swept = {file.name: file.read_bytes() for file in (scratch / "swept").iterdir()}

    def opened(at: Path) -> None:
        with Store(at / "s.sqlite", create=False) as store:
            store.list()
            store.scenarios()
            store.opened(name)
            store.decisions()

    def asked(at: Path) -> None:
        with Store(scratch / "s.sqlite", role="read") as store:
            store.plan(_text(at / "id"))

    def resumed(at: Path) -> None:
        folder.opened(at)
        allocator.sweep(scenario, {"funds.ti.amount": ["1 M€", "2 M€"]}, out=at)

    return {
        "store": Reader({"s.sqlite": (scratch / "s.sqlite").read_bytes()}, opened, ("s.sqlite",)),
        "plan's id": Reader({"id": name.encode()}, asked, ("id",)),
        "sweep": Reader(swept, resumed, tuple(swept)),
    }


def _asked(scratch: Path, scenario: allocator.Scenario, files: dict[str, bytes]) -> dict[str, Reader]:
    """What is written on a command line."""
    from allocator.changes import changed
    from allocator.cli import main
    from allocator.commands.sweep import _listed, _vary
    from allocator.sweep.design import checked, variants

    def refused_if(problems: list[Problem]) -> None:
        if problems:
            raise ScenarioError(problems)

    def vary(at: Path) -> None:
        problems: list[Problem] = []
        found = _vary(argparse.Namespace(vary=_text(at / "vary").splitlines(), listed=None), problems)
        refused_if(problems)
        checked(scenario, variants(found))

    def listed(at: Path) -> None:
        problems: list[Problem] = []
        found = _listed(str(at / "list.csv"), problems)
        refused_if(problems)
        checked(scenario, found[:50])

    def paths(at: Path) -> None:
        lines = [line.partition("=") for line in _text(at / "changes").splitlines()]
        changed(scenario, {path: value for path, _, value in lines})

    def command(at: Path) -> None:
        os.environ["ALLOCATOR_STORE"] = str(scratch / "s.sqlite")
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), chdir(at):
            try:
                status = main(_text(at / "line").split("\n")[:12])
            except SystemExit as error:  # --help
                status = int(str(error.code or 0))
        said = err.getvalue() or out.getvalue()
        if status == 2:
            raise ScenarioError([Problem("line", Text(said, said))])
        if status not in (0, 3, 4):
            raise RuntimeError(f"status {status}: {said}")

    lines = {f"line {name}": "\n".join(line).encode() for name, line in {
        "check": ["check", "scenario.yaml", "--json"],
        "solve": ["solve", "scenario.yaml", "--engine", "highs", "--gap", "0.1", "--time-limit", "5", "--lang", "en"],
        "explain": ["explain", "scenario.yaml", "--demand", "d1", "--brief"],
        "sweep": ["sweep", "scenario.yaml", "--vary", "funds.ti.amount=1 M€,2 M€", "--design", "one", "--seed", "3", "--jobs", "1"],
        "frontier": ["frontier", "scenario.yaml", "--x", "emplois", "--y", "euros", "--points", "3"],
        "risk": ["risk", "scenario.yaml", "--with", "with.yaml", "--samples", "16", "--seed", "1"],
        "history": ["history", "--json"], "diff": ["diff", "scenario.yaml", "variante.yaml"],
        "compare": ["compare", "scenario.yaml", "variante.yaml", "--gap", "0.1"],
    }.items()}  # fmt: skip
    commands = Reader(files | lines, lambda at: None, tuple(lines))

    def any_command(at: Path) -> None:
        """The line that differs from what it was."""
        changed_lines = [name for name in lines if (at / name).read_bytes() != lines[name]] or list(lines)[:1]
        (at / "line").write_bytes((at / changed_lines[0]).read_bytes())
        command(at)

    commands.read = any_command
    return {
        "vary": Reader({"vary": b"funds.ti.amount=-30 %..+30 %/3\nfunds.friches.amounts.2026=1 M\xe2\x82\xac,x1.1\nconstraints.plafond.enabled=oui,non"}, vary, ("vary",)),
        "list": Reader({"list.csv": b"funds.*.amount,measures.friche.lumpy\n-10 %,\n+5 %,false\n"}, listed, ("list.csv",)),
        "changes": Reader({"changes": b"funds.ti.amount=+10 %\nfunds.friches.amounts.2026=x1,5\ndemands.d1.units=3"}, paths, ("changes",)),
        "command": commands,
    }  # fmt: skip


def _sent(scenario: allocator.Scenario, book: Path, files: dict[str, bytes]) -> dict[str, Reader]:
    """Uploads, by the front-end's own code."""
    try:
        from ui.building import importing
        from ui.work import Job, Workshop
    except ImportError:  # the front-end is an extra
        return {}
    job = Job(("x",), lambda job: None, Workshop(0), asked=1e18)

    def reads(what: str, name: str) -> Callable[[Path], object]:
        return lambda at: importing._read(job, what, scenario, name, (at / name).read_bytes())

    return {
        "sent book": Reader({"x.xlsx": book.read_bytes()}, reads("scenario", "x.xlsx"), ("x.xlsx",)),
        "sent demands": Reader({"x.csv": files["demands.csv"]}, reads("demands", "x.csv"), ("x.csv",)),
    }


def _text(file: Path) -> str:
    """As a command line hands over what is not UTF-8."""
    return file.read_bytes().decode("utf-8", "surrogateescape" if file.name == "line" else "replace")


def _rebuilt(at: Path, tables: dict[str, bytes]) -> object:
    """A scenario written by hand as JSON is a dict for `Scenario`; broken JSON is the store's damage, told before."""
    from allocator.store import content

    text = (at / "parts.json").read_bytes()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ScenarioError([Problem("parts.json", Text("JSON", "JSON"))]) from None
    known = {"name", "label", "description", "years", "funds", "measures", "constraints", "objective", "base", "labels"}
    if not isinstance(found, dict) or set(found) - known or not {"name", "years", "funds", "measures"} <= set(found):
        raise ScenarioError([Problem("parts.json", Text("clés", "keys"))])
    return content.rebuilt(json.dumps(found), tables)


def _ods() -> bytes:
    from test_workbook import SHEETS, ods

    at = Path(tempfile.mkdtemp()) / "s.ods"
    ods(at, SHEETS)
    return at.read_bytes()


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).write_bytes(data)


# Mutations ---------------------------------------------------------------------------------------------


def mutated(data: bytes, draw: random.Random) -> bytes:
    """One to four changes; a zip is opened, its texts changed (or its bytes, one time in five) and closed again."""
    if data[:2] == b"PK" and draw.random() < 0.8:
        return _rezipped(data, draw)
    for _ in range(draw.choice((1, 1, 2, 4))):
        data = draw.choice((_token, _token, _token, _line, _bytes))(data, draw)
    return data


def _token(data: bytes, draw: random.Random) -> bytes:
    """Something nasty in the place of a value, between marks that separate values."""
    marks = [k for k, byte in enumerate(data) if byte in b' ,;:{}[]\n"<>=']
    if len(marks) < 2:
        return data + draw.choice(NASTY).encode()
    k = draw.randrange(len(marks) - 1)
    nasty = draw.choice(NASTY).encode("utf-8", "surrogatepass")
    return data[: marks[k] + 1] + nasty + data[marks[k + 1] :]


def _line(data: bytes, draw: random.Random) -> bytes:
    """A line twice, gone, elsewhere, or very often."""
    lines = data.split(b"\n")
    k, j = draw.randrange(len(lines)), draw.randrange(len(lines))
    match draw.randrange(4):
        case 0:
            lines.insert(j, lines[k])
        case 1:
            del lines[k]
        case 2:
            lines[k], lines[j] = lines[j], lines[k]
        case _:
            lines[k:k] = [lines[k]] * draw.choice((2, 50, 500))
    return b"\n".join(lines)


def _bytes(data: bytes, draw: random.Random) -> bytes:
    """Bytes turned, cut, repeated or thrown in."""
    a, b = sorted(draw.randrange(len(data) + 1) for _ in range(2))
    match draw.randrange(5):
        case 0:
            return data[:a]
        case 1:
            return data[:a] + data[b:]
        case 2:
            return data[:b] + data[a:]
        case 3:
            return data[:a] + draw.randbytes(draw.choice((1, 4, 64))) + data[a:]
        case _:
            return data[:a] + bytes(byte ^ (1 << draw.randrange(8)) for byte in data[a : a + 3]) + data[a + 3 :]


def _rezipped(data: bytes, draw: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [(name, archive.read(name)) for name in archive.namelist()]
    k = draw.randrange(len(parts))
    for _ in range(draw.choice((1, 1, 2, 3))):
        k = (
            draw.randrange(len(parts))
            if draw.random() < 0.3
            else max(range(len(parts)), key=lambda i: len(parts[i][1]) * draw.random())
        )
        name, text = parts[k]
        match draw.randrange(12):
            case 0:
                parts[k] = draw.choice(("../../tmp/x", "/etc/x", name.upper(), "xl/workbook.xml", " ")), text
            case 1:
                parts.append((name, text))
            case 2 if len(parts) > 1:
                del parts[k]
            case _:
                parts[k] = name, draw.choice((_token, _token, _token, _bytes))(text, draw)
    out = io.BytesIO()
    import warnings

    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # of a name twice: meant
        for name, text in parts:
            archive.writestr(name, text)
    return out.getvalue()


# Running -----------------------------------------------------------------------------------------------


@contextmanager
def guarded() -> Iterator[None]:
    """At most `SECONDS`, and at most `MEGABYTES` more address space than now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()

    def over(*_: object) -> None:
        raise TooLong

    before = {number: signal.signal(number, over) for number in (signal.SIGPROF, signal.SIGALRM)}
    resource.setrlimit(resource.RLIMIT_AS, (now + (MEGABYTES << 20), hard))
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.setitimer(signal.ITIMER_REAL, 6 * SECONDS)  # one that waits for something
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def outcome(read: Callable[[], object]) -> str:
    """`accepted`, `refused`, or what must not be."""
    try:
        with guarded():
            read()
        return "accepted"
    except ScenarioError as error:
        placed = isinstance(error, StoreError)  # the record is in the message
        mute = [p for p in error.problems if not str(p.message).strip() or not (placed or str(p.place) or p.file)]
        if not error.problems or mute:
            return f"a problem without a place or words: {mute[:1]}"
        json.dumps([p.as_dict() for p in error.problems])
        return "refused"
    except TooLong:
        return f"more than {SECONDS} s"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        at = traceback.extract_tb(error.__traceback__)
        own = [f"{Path(f.filename).name}:{f.lineno}" for f in at if "allocator" in f.filename][-2:]
        return f"{type(error).__name__}: {str(error)[:120]} at {' < '.join(reversed(own))}"


def run(name: str, reader: Reader, cases: range, seed: int) -> Report:
    report = Report()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        folder = Path(place)
        _write(folder, reader.files)
        (folder / "lien.csv").symlink_to("/etc/passwd")
        for case in cases:
            draw = random.Random(f"{seed}/{name}/{case}")
            target = draw.choice(reader.target)
            (folder / target).write_bytes(mutated(reader.files[target], draw))
            start, before = time.process_time(), _peak(reset=True)
            found = outcome(lambda: reader.read(folder))
            report.seconds = max(report.seconds, time.process_time() - start)
            report.megabytes = max(report.megabytes, _peak() - before)
            report.cases += 1
            report.accepted += found == "accepted"
            report.refused += found == "refused"
            if found not in ("accepted", "refused"):
                report.failures.append((case, found))
            for file in folder.iterdir():
                if file.name not in reader.files and not file.is_symlink():
                    shutil.rmtree(file) if file.is_dir() else file.unlink()
            _write(folder, reader.files)
    return report


def _peak(reset: bool = False) -> float:
    """The most memory held since the last reset, in MB (Linux)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=50_000, help="of all readers together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", help="a reader's name")
    parser.add_argument("--first", type=int, default=0, help="number of each reader's first case")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        found = {k: r for k, r in readers(Path(scratch)).items() if not options.only or k in options.only}
        each, failed = -(-options.cases // len(found)), 0
        print(f"{'reader':20} {'cases':>7} {'accepted':>9} {'refused':>8} {'failed':>7} {'worst s':>8} {'worst MB':>9}")
        for name, reader in found.items():
            r = run(name, reader, range(options.first, options.first + each), options.seed)
            failed += len(r.failures)
            print(
                f"{name:20} {r.cases:7} {r.accepted:9} {r.refused:8} {len(r.failures):7} {r.seconds:8.2f} {r.megabytes:9.1f}"
            )
            kinds = {what: case for case, what in reversed(r.failures)}
            for what, case in kinds.items():
                print(f"  case {case}: {what} ({sum(w == what for _, w in r.failures)} times)")
            sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
