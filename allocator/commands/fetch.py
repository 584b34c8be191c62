"""`allocator fetch`: a public file, downloaded to the cache by its stable address."""

from __future__ import annotations

import argparse

from allocator.commands.common import OK, console, json_option, unwritten
from allocator.texts import Text

NAME = "fetch"
HELP = Text("télécharge un fichier public (puis : allocator import)", "download a public file (then: allocator import)")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NOM", help=str(Text("sans lui, la liste", "without it, the list")))
    parser.add_argument(
        "--year", type=int, metavar="A", help=str(Text("année (sans elle, la dernière)", "year (without it, the last)"))
    )
    parser.add_argument(
        "--out", metavar="DIR", help=str(Text("copier aussi dans ce dossier", "copy to this folder too"))
    )
    parser.add_argument("--refresh", action="store_true", help=str(Text("télécharger de nouveau", "download again")))
    parser.add_argument("--sha256", metavar="H", help=str(Text("somme de contrôle exigée", "checksum required")))
    json_option(parser)


def run(options: argparse.Namespace) -> int:
    """Fetch one file, or list what can be fetched."""
    import json
    import shutil
    from pathlib import Path

    from allocator.importers.fetching import BY_HAND, PUBLISHED, fetch
    from allocator.problems import ScenarioError

    def say(line: str) -> None:
        console().print(line, markup=False, highlight=False, soft_wrap=True)

    if options.name is None:
        listed = [
            {"name": p.name, "label": str(p.label), "format": p.form, "page": p.page, "licence": p.licence}
            for p in PUBLISHED.values()
        ]
        if options.json:
            print(json.dumps({"files": listed}, ensure_ascii=False, indent=2))
            return OK
        for item in listed:
            say(f"{item['name']:<14}{item['label']}\n{'':<14}{item['page']} ({item['licence']})")
        say(str(Text("À prendre à la main :", "To be taken by hand:")))
        for name, where in BY_HAND.items():
            say(f"{name:<14}{where}")
        return OK
    made = fetch(options.name, year=options.year, sha256=options.sha256, refresh=options.refresh)
    path = made.path
    if options.out is not None:
        try:
            Path(options.out).mkdir(parents=True, exist_ok=True)
            path = Path(shutil.copy2(made.path, Path(options.out) / made.path.name))
        except OSError as error:
            raise ScenarioError([unwritten(error, options.out)]) from None
    if options.json:
        print(json.dumps({**made.record(), "path": str(path), "cached": not made.fresh}, ensure_ascii=False, indent=2))
        return OK
    how = (
        Text("téléchargé", "downloaded")
        if made.fresh
        else Text("déjà là (--refresh pour le reprendre)", "there already (--refresh to take it again)")
    )
    say(f"{path} : {how}")
    told = f"{made.size} {Text('octets', 'bytes')}, sha256 {made.sha256}, {made.at[:10]}"
    say(f"  {made.address}\n  {told}")
    say(f"allocator import {PUBLISHED[made.name].form} {path} --out {made.name}")
    return OK
