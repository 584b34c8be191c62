"""Ways out: a scenario as a folder (YAML and CSV) or as a workbook, which load again as the same scenario."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from allocator.formats import csv_text, yaml_text
from allocator.problems import Problem, ScenarioError
from allocator.scenario import Scenario
from allocator.spreadsheet import csv_rows
from allocator.tables import TEXT_COLUMNS
from allocator.texts import Text, composed

_TABLES = ("territories", "demands", "prior_aid")


def save(scenario: Scenario, path: str | os.PathLike[str]) -> list[Path]:
    """Write a scenario to a `.xlsx` workbook or, whatever else the name, to a folder; the files written.

    Each file is replaced whole or not at all. Loading gives the same `input_hash`. `ScenarioError` where the format
    cannot hold something of it; `OSError` where nothing can be written there.
    """
    at = Path(path)
    _check_texts(scenario, str(path))
    if at.suffix.lower() == ".xlsx":
        from allocator.formats import workbook

        return [replaced(at, lambda temporary: workbook.save(scenario, temporary))]
    if at.suffix.lower() in (".ods", ".xls", ".xlsm", ".xlsb", ".yaml", ".yml"):
        kinds = Text("un scénario s'écrit en .xlsx ou dans un dossier", "a scenario is written as .xlsx or to a folder")
        remedy = Text("Donnez un nom en .xlsx, ou un dossier.", "Give a name in .xlsx, or a folder.")
        raise ScenarioError([Problem("", kinds, remedy, str(path))])
    if at.suffix.lower() == ".pdf":
        plans = Text("un PDF montre un plan, pas un scénario", "a PDF shows a plan, not a scenario")
        remedy = Text("Écrivez : allocator solve S --out DOSSIER --pdf", "Write: allocator solve S --out FOLDER --pdf")
        raise ScenarioError([Problem("", plans, remedy, str(path))])
    texts = _files(scenario, at)
    at.mkdir(parents=True, exist_ok=True)
    return [replaced(at / name, _writer(text)) for name, text in texts.items()]


def _check_texts(scenario: Scenario, file: str) -> None:
    """Readers write each letter in one way: a text that does otherwise would not come back."""
    told: list[Problem] = []

    def look(place: str, value: object) -> None:
        if isinstance(value, Mapping):
            for key, below in value.items():
                look(place, key)
                look(f"{place}.{key}" if place else str(key), below)
        elif isinstance(value, (list, tuple)):
            for below in value:
                look(place, below)
        elif isinstance(value, str) and composed(value) != value:
            message = Text(
                f"« {value} » n'est pas en forme normale C d'Unicode", f"“{value}” is not in Unicode normal form C"
            )
            told.append(Problem(place, message, Text("Composez-en les accents.", "Compose its accents."), file))

    look("", scenario.to_dict())
    for table in _TABLES:
        frame = getattr(scenario, table)
        for name in () if frame is None else frame.columns:
            look(table, str(name))
            if not pd.api.types.is_numeric_dtype(frame[name]):
                for text in frame[name].unique():
                    look(f"{table}.{name}", text)
    if told:
        raise ScenarioError(told)


def given_columns(scenario: Scenario, table: str) -> list[str]:
    """The columns of territories, demands or prior aid that were given: the others are completed again by themselves."""
    from allocator.tables import DEMAND_COLUMNS, TERRITORY_COLUMNS

    frame = getattr(scenario, table)
    if table == "prior_aid":
        return [str(name) for name in frame.columns]
    known = scenario._tables.territory_columns if table == "territories" else scenario._tables.demand_columns
    order = TERRITORY_COLUMNS if table == "territories" else DEMAND_COLUMNS
    front = [key for key in order if key in known]
    return [key for key in (*front, *(k for k in known if k not in front)) if key in frame.columns]


def replaced(path: Path, write: Callable[[str], object]) -> Path:
    """Write a file beside `path`, then put it in its place."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
    os.close(handle)
    try:
        write(temporary)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def _writer(text: str) -> Callable[[str], object]:
    return lambda temporary: Path(temporary).write_text(text, encoding="utf-8", newline="")


def _files(scenario: Scenario, folder: Path) -> dict[str, str]:
    """{file name: text}"""
    content = scenario.to_dict()
    files: dict[str, str] = {}
    wrong: list[Problem] = []
    for table in _TABLES:
        frame = getattr(scenario, table)
        if frame is not None:
            content[table] = f"{table}.csv"
            files[f"{table}.csv"] = _csv(frame, table, given_columns(scenario, table), folder, wrong)
    if wrong:
        raise ScenarioError(wrong)
    if scenario.base:
        # A base is a layer: what this scenario holds becomes the layer below, under the name it was made from.
        above = {key: content.pop(key) for key in ("name", "label", "description") if key in content}
        files["contenu.yaml"] = _yaml({"name": content.pop("base"), **content})
        content = {"base": "contenu.yaml"} | above
    files["scenario.yaml"] = _yaml(content)
    return files


_TRUTHS = ("y", "n", "yes", "no", "on", "off")  # of YAML 1.1, beside true and false


class _Dumper(yaml.SafeDumper):
    """Quotes every text that would be read as something else: by the rules of `yaml_text`, or by YAML 1.1, to which the
    key `on` is a truth value."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, value: str) -> yaml.Node:
    plain = yaml.ScalarNode("tag:yaml.org,2002:str", value)
    simple = re.fullmatch(r"[^\W\d_](?:[\w ’'.,;()%€+–/-]*[\w.)%€])?", value)
    safe = simple and yaml_text.plain(plain) == value and value.casefold() not in _TRUTHS
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if safe else '"')


_Dumper.add_representer(str, _text)
_Dumper.add_representer(tuple, lambda dumper, value: dumper.represent_list(list(value)))


def _yaml(content: dict[str, Any]) -> str:
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=118)


def _csv(frame: pd.DataFrame, table: str, columns: Sequence[str], folder: Path, wrong: list[Problem]) -> str:
    texts = {"territories": {"id", "name", "region", "departement"}, "prior_aid": {"beneficiary", "date"}}
    kept = texts.get(table, TEXT_COLUMNS)
    cells = {name: [cell(value) for value in frame[name].astype(object).tolist()] for name in columns}
    for name in columns:
        if name not in kept and pd.api.types.is_string_dtype(frame[name]) and any(cells[name]):
            money = name in ("asked", "cost", "other_public", "own", "units", "min_units")
            if not money and not pd.api.types.is_string_dtype(csv_text.column(tuple(cells[name]), as_text=False)):
                wrong.append(
                    Problem(
                        Text(f"colonne {name}", f"column {name}"),
                        Text("ces textes se liraient comme des nombres ou des booléens : un CSV ne dit pas le type",
                             "these texts would be read as numbers or booleans: a CSV does not tell the type"),
                        Text("Écrivez un classeur .xlsx.", "Write a .xlsx workbook."),
                        str(folder / f"{table}.csv"),
                    )
                )  # fmt: skip
    return csv_rows(columns, zip(*cells.values(), strict=True))


def cell(value: Any) -> str:
    """A value as a CSV file says it."""
    if value is None or value is pd.NA or value != value:
        return ""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if isinstance(value, (float, np.floating)):
        return repr(int(value)) if float(value).is_integer() and abs(float(value)) < 10**15 else repr(float(value))
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
