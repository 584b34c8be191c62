"""What mkdocs does beyond its own for our pages (mkdocs.yml, `hooks`).

Before it builds, every page is run (run_pages.py) and what is not as shown stops it; `mkdocs serve` does not wait for that.
Files of the repository that pages name become pages of the site, so that every link leads somewhere.
"""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
RUN = [sys.executable, str(ROOT / "scripts" / "run_pages.py")]
LINK = re.compile(r"(?<=\]\()(?P<target>[\w.][^)\s#:]*)(?P<anchor>#[^)\s]*)?(?=\))")
CODE = re.compile(r"^(`{3,}).*?^\1", re.MULTILINE | re.DOTALL)
NEEDS = re.compile(r'^(`{3,}[\w-]+)(.*) needs="[^"]*"', re.MULTILINE)
SOURCE = "source"  # the folder of the site where files of the repository stand


def on_startup(command: str, dirty: bool) -> None:
    """Every example first: none may show what is not so."""
    if command == "build" and "DOCS_AS_THEY_ARE" not in os.environ and subprocess.run(RUN, check=False).returncode:
        raise PluginError(
            "an example is not as shown (above); mend it, or: python scripts/run_pages.py --write PAGE.md"
        )


def linked(markdown: str, folder: str) -> set[str]:
    """The files and folders of the repository, outside docs/, that a page standing in `folder` names."""
    targets = {
        posixpath.normpath(posixpath.join(folder, found["target"])) for found in LINK.finditer(CODE.sub("", markdown))
    }
    return {target for target in targets if not target.startswith(("docs/", "..")) and (ROOT / target).exists()}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """A page for each file of the repository that a page names, and for those which these name."""
    waiting = set().union(*(linked(page.content_string, posixpath.dirname(f"docs/{page.src_uri}"))
                            for page in files.documentation_pages()))  # fmt: skip
    done: set[str] = set()
    while waiting := waiting - done:
        done |= waiting
        for name in sorted(waiting):
            content = source(name)
            files.append(File.generated(config, f"{SOURCE}/{page_of(name)}", content=content))
            waiting = waiting | linked(content, posixpath.dirname(name))
    return files


def page_of(name: str) -> str:
    """Where a file or folder of the repository stands under `SOURCE`."""
    return name if name.endswith(".md") else f"{name}/index.md" if (ROOT / name).is_dir() else f"{name}.md"


def source(name: str) -> str:
    """A file as a page: Markdown as it is, other text as code; a folder as the list of what is in it."""
    path = ROOT / name
    if path.is_dir():
        known = subprocess.run(["git", "ls-files", name], cwd=ROOT, capture_output=True, text=True, check=False).stdout
        return f"# {name}\n\n" + "".join(f"* `{line}`\n" for line in known.splitlines())
    text = path.read_text(encoding="utf-8")
    return text if path.suffix == ".md" else f"# {name}\n\n````{path.suffix[1:] or 'text'}\n{text}\n````\n"


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links to where things stand on the site; without what only run_pages.py reads."""
    here = page.file.src_uri
    at = here.removeprefix(f"{SOURCE}/") if here.startswith(f"{SOURCE}/") else f"docs/{here}"

    def moved(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(at), found["target"]))
        if target == "docs" or not (ROOT / target).exists():
            return found[0]
        where = target.removeprefix("docs/") if target.startswith("docs/") else f"{SOURCE}/{page_of(target)}"
        if target.startswith("docs/") and (ROOT / target).is_dir():
            where += "/README.md"
        return posixpath.relpath(where, posixpath.dirname(here)) + (found["anchor"] or "")

    return NEEDS.sub(r"\1\2", LINK.sub(moved, markdown))


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """The language of the page itself: French at home and under fr/, else English."""
    french = page.file.src_uri.startswith(("index.md", "fr/"))
    return output if french else output.replace('<html lang="fr"', '<html lang="en"', 1)
