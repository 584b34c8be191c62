"""Scenarios and grants as JSON and Arrow, and back: nothing that is read is ever run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from allocator.formats.saving import given_columns
from allocator.scenario import Scenario

TABLES = ("territories", "demands", "prior_aid")
GRANTS = ("demand", "territory", "measure", "fund", "year", "cents")


def of_scenario(scenario: Scenario) -> tuple[str, dict[str, bytes]]:
    """Everything but the tables as JSON, and each table there is; `rebuilt` takes both back, to the same input hash."""
    frames = {name: getattr(scenario, name) for name in TABLES}
    given = {name: frame[given_columns(scenario, name)] for name, frame in frames.items() if frame is not None}
    return canonical(scenario.to_dict()), {name: _written(frame) for name, frame in given.items()}


def rebuilt(parts: str, tables: Mapping[str, bytes]) -> Scenario:
    """The scenario that was written. `ScenarioError` where today's rules refuse it."""
    content: dict[str, Any] = json.loads(parts)
    return Scenario(**content, **{name: _read(data) for name, data in tables.items()})  # type: ignore[arg-type]


def of_grants(grants: pd.DataFrame) -> bytes:
    """`Plan.grants`, compact."""
    columns = {name: pa.array(grants[name].tolist(), pa.string()).dictionary_encode() for name in GRANTS[:4]}
    columns |= {name: pa.array(grants[name].to_numpy(np.int64)) for name in GRANTS[4:]}
    return _stream(pa.table(columns))


def grants(data: bytes) -> pd.DataFrame:
    """The grants that were written: demand, territory, measure, fund, year, cents (int64)."""
    table = pa.ipc.open_stream(data).read_all()
    columns: dict[str, Any] = {name: pd.Series(table[name].to_pylist(), dtype=object) for name in GRANTS[:4]}
    columns |= {name: table[name].to_numpy() for name in GRANTS[4:]}
    return pd.DataFrame(columns)


def canonical(value: Any) -> str:
    """JSON of which there is one form: a hash of it means something."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def sha256(data: bytes) -> str:
    """The name of some bytes."""
    return hashlib.sha256(data).hexdigest()


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _written(frame: pd.DataFrame) -> bytes:
    """Plain numbers and truth values as they are, texts as texts, anything else cell by cell as JSON."""
    arrays, fields = [], []
    for name in frame.columns:
        column, how = frame[name], b"as it is"
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufb":
            array = pa.array(column.to_numpy(), from_pandas=False)
        else:
            cells = [None if _missing(cell) else cell for cell in column.tolist()]
            if not all(cell is None or type(cell) is str for cell in cells):
                cells, how = [None if cell is None else json.dumps(_tagged(cell)) for cell in cells], b"json"
            array = pa.array(cells, pa.string())
        arrays.append(array)
        fields.append(pa.field(str(name), array.type, metadata={b"cells": how}))
    return _stream(pa.Table.from_arrays(arrays, schema=pa.schema(fields)))


def _read(data: bytes) -> pd.DataFrame:
    table = pa.ipc.open_stream(data).read_all()
    columns: dict[str, Any] = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        if not pa.types.is_string(field.type):
            columns[field.name] = column.to_numpy()
        elif field.metadata[b"cells"] == b"json":
            cells = [None if cell is None else _untagged(json.loads(cell)) for cell in column.to_pylist()]
            columns[field.name] = pd.Series(cells, dtype=object)
        else:
            columns[field.name] = pd.Series(column.to_pylist(), dtype="str")
    return pd.DataFrame(columns)


def _missing(cell: object) -> bool:
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell)


def _tagged(cell: Any) -> Any:
    if isinstance(cell, np.generic):
        cell = cell.item()
    if isinstance(cell, Decimal):
        return {"decimal": str(cell)}
    return cell if isinstance(cell, (bool, int, float, str)) else str(cell)


def _untagged(cell: Any) -> Any:
    return Decimal(cell["decimal"]) if isinstance(cell, dict) else cell
