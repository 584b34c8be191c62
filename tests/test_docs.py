"""The pages: what runs them notices what is not so, links lead somewhere, the README is true, the site asks no other host."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RUN = [sys.executable, str(ROOT / "scripts" / "run_pages.py")]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCED = re.compile(r"^(`{3,}).*?^\1|<!--.*?-->", re.MULTILINE | re.DOTALL)


def ran(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RUN, *options, str(page)], capture_output=True, text=True, timeout=200, check=False)


@pytest.fixture
def page(tmp_path: Path):
    def write(text: str) -> Path:
        (tmp_path / "page.md").write_text(text, encoding="utf-8")
        return tmp_path / "page.md"

    return write


def fenced(kind: str, body: str) -> str:
    return f"```{kind}\n{body}```\n"


GOOD = {
    "output": fenced("console", "$ echo a b\na b\n"),
    "left out": fenced("console", "$ printf '1\\n2\\n3\\n4\\n'\n1\n[…]\n4\n$ echo took 3 s\ntook […] s\n"),
    "a status asked for": fenced("console", "$ (exit 3)\n$ echo $?\n3\n"),
    "one shell": fenced("console", "$ x=1\n$ echo \\\n> $x\n1\n"),
    "a file, then a command": fenced('text title="d/f"', "hello\n") + fenced("console", "$ cat d/f\nhello\n"),
    "python": fenced("python", "x = 2\n") + fenced("python", "print(x)\n") + "\n" + fenced("text", "2\n"),
    "what a command prints": "<!-- printed by: ls README.md -->\nREADME.md\n<!-- end -->\n",
    "without the file it needs": fenced('console needs="absent"', "$ false\n"),
    "other blocks": fenced("sql", "SELECT 1\n") + fenced("text", "$ false\n"),
}
BAD = {
    "another output": (fenced("console", "$ echo a\nb\n"), "-b\n+a"),
    "no output shown": (fenced("console", "$ echo a\n"), "+a"),
    "nothing was left out": (fenced("console", "$ echo a\na\n[…]\n"), "-[…]"),
    "a failure": (fenced("console", "$ false\n"), "exit status 1"),
    "a failure in a pipe": (fenced("console", "$ false | cat\n"), "exit status 1"),
    "another status": (fenced("console", "$ (exit 3)\n$ echo $?\n2\n"), "-2\n+3"),
    "the shell ended": (fenced("console", "$ exit 0\n$ echo a\na\n"), "exit status 1"),
    "no command": (fenced("console", "a\n"), "begins with a command"),
    "python prints unseen": (fenced("python", "print(2)\n"), "no block ```text follows"),
    "python prints another thing": (fenced("python", "print(2)\n") + fenced("text", "3\n"), "-3\n+2"),
    "python raises": (fenced("python", "1 / 0\n"), "ZeroDivisionError"),
    "a file elsewhere": (fenced('text title="../f"', "hello\n"), "outside the page's folder"),
    "no such workbook": (
        "<!-- typed into: b.xlsx, Fonds -->\n\n| case | valeur |\n|---|---|\n\n",
        "cannot be typed in",
    ),
    "what a command prints no more": ("<!-- printed by: echo a -->\n[…]\n<!-- end -->\n", "-[…]\n+a"),
}


def test_good_blocks_pass(page):
    done = ran(page("\n".join(GOOD.values())))
    assert done.returncode == 0, done.stdout
    assert "left as it is, without absent" in done.stdout and done.stdout.count("\n") == 1


def test_bad_blocks_are_all_told_with_their_lines(page):
    text = "".join(f"## {name}\n{block}" for name, (block, _) in BAD.items())
    done = ran(page(text))
    assert done.returncode == 1
    told: dict[str, str] = {}
    for problem in done.stdout.split(f"{page(text)}, line ")[1:]:
        number = int(problem.partition(":")[0])
        section = [line for line in text.splitlines()[:number] if line.startswith("## ")][-1].removeprefix("## ")
        told[section] = told.get(section, "") + problem
    assert told.keys() == BAD.keys()
    assert [name for name, (_, sign) in BAD.items() if sign not in told[name]] == []


def test_write_puts_in_what_is_printed_and_nothing_else(page):
    given = page(
        "Before\n\n"
        + fenced("console", "$ echo a\nb\n$ echo […]\n[…]\n")
        + fenced("python", "print(1)\n")
        + fenced("text", "")
    )
    assert ran(given, "--write").returncode == 0
    assert given.read_text(encoding="utf-8") == (
        "Before\n\n"
        + fenced("console", "$ echo a\na\n$ echo […]\n[…]\n")
        + fenced("python", "print(1)\n")
        + fenced("text", "1\n")
    )
    assert ran(given).returncode == 0
    failing = page(fenced("console", "$ echo a; false\nb\n"))
    assert ran(failing, "--write").returncode == 1
    assert "\nb\n" in failing.read_text(encoding="utf-8"), "the output of a failure is no example"


def test_a_table_is_typed_into_a_workbook(page):
    done = ran(page(
        fenced("console", "$ allocator template b.xlsx | head -1\nÉcrit : b.xlsx\n")
        + "<!-- typed into: b.xlsx, Mesures -->\n\n| Identifiant | Unité |\n|---|---|\n| `route` | km |\n\n"
        + "<!-- typed into: b.xlsx, Fonds -->\n\n| case | valeur |\n|---|---|\n| C5 | 1 234 567,5 |\n\n"
        + fenced("python", "import openpyxl\nb = openpyxl.load_workbook('b.xlsx')\n"
                 "print([row[0] for row in b['Mesures'].iter_rows(min_row=5, values_only=True)], b['Fonds']['C5'].value)\n")
        + fenced("text", "['route'] 1234567.5\n")
    ))  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_no_such_page_is_told(tmp_path):
    done = ran(tmp_path / "absent.md")
    assert done.returncode == 2 and "absent.md" in done.stderr and "Traceback" not in done.stderr


def test_a_page_is_as_shown():
    done = ran(ROOT / "docs/diff.md")
    assert done.returncode == 0, done.stdout


def anchors(page: Path) -> set[str]:
    """Of its headings, as GitHub and mkdocs write them."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    for target, anchor in re.findall(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)", text):
        there = page.parent / target if target else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), f"{target}#{anchor}"


def test_every_block_that_shows_commands_is_run():
    """What looks like a session and is not marked `console` would be checked by nobody."""
    unmarked = [
        f"{page.relative_to(ROOT)}: {block.splitlines()[1]}"
        for page in PAGES
        for block in (found[0] for found in FENCED.finditer(page.read_text(encoding="utf-8")))
        if re.match(r"`{3,}\w*\n\$ ", block) and not block.startswith("```console")
    ]
    assert unmarked == []


def test_the_picture_of_the_layers_is_today_s():
    done = subprocess.run([sys.executable, str(ROOT / "scripts/layers_picture.py"), "--check"], check=False)
    assert done.returncode == 0, "python scripts/layers_picture.py"


def test_the_site_is_whole_and_asks_no_other_host(tmp_path):
    pytest.importorskip("mkdocs", reason="mkdocs is not installed (make docs)")
    pytest.importorskip("material", reason="mkdocs-material is not installed (make docs)")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT, env=os.environ | {"DOCS_AS_THEY_ARE": "1", "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    asked = [
        found
        for file in (tmp_path / "site").rglob("*")
        if file.suffix in (".html", ".css")
        for found in re.findall(
            r"<(?:link|script|img|iframe|source)\b[^>]*(?:href|src)=[\"']?(?:https?:)?//[^>]*>|url\([\"']?(?:https?:)?//[^)]*\)|@import[^;]*//[^;]*",
            file.read_text(encoding="utf-8"),
        )
        if 'rel="canonical"' not in found
    ]
    assert asked == []
    assert '<html lang="en"' in (tmp_path / "site/risk.html").read_text(encoding="utf-8")
    assert '<html lang="fr"' in (tmp_path / "site/fr/lire.html").read_text(encoding="utf-8")
