"""`allocator schema`: the JSON Schema of scenario files, with which editors complete and check them."""

from __future__ import annotations

import argparse
import json

from allocator.commands.common import OK
from allocator.texts import Text

NAME = "schema"
HELP = Text("le schéma JSON d'un scenario.yaml, pour les éditeurs", "the JSON Schema of a scenario.yaml, for editors")


def arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(options: argparse.Namespace) -> int:
    from allocator.formats.schema import json_schema

    print(json.dumps(json_schema(), ensure_ascii=False, indent=2))
    return OK
