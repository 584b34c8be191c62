"""Nothing that comes from a file, an address, an upload or a store is unpickled or evaluated: the sources are read for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [*(ROOT / "allocator").rglob("*.py"), *(ROOT / "ui").rglob("*.py")]

# Names that run or rebuild what they are given, by module; "" for those of Python.
RUN = {
    "": {"eval", "exec", "compile", "__import__"},
    "os": {"system", "popen", "execv", "execvp", "spawnv"},
    "marshal": {"*"}, "pickle": {"*"}, "cPickle": {"*"}, "dill": {"*"}, "cloudpickle": {"*"}, "shelve": {"*"},
    "joblib": {"load", "dump"}, "runpy": {"*"}, "codeop": {"*"}, "numexpr": {"*"},
    "pandas": {"read_pickle", "eval", "read_hdf"}, "numpy": {"load", "fromfile", "loads"},
    "yaml": {"load", "load_all", "full_load", "full_load_all", "unsafe_load", "unsafe_load_all", "Loader", "UnsafeLoader", "FullLoader"},
    "jinja2": {"*"}, "xml.dom": {"*"}, "xml.sax": {"*"}, "lxml": {"*"},
}  # fmt: skip
METHODS = {"query", "eval", "read_pickle", "to_pickle", "unpickle"}  # of tables, whatever they are called
SHELL = {"shell", "allow_pickle"}  # arguments that may not be true

ALLOWED = {
    "allocator/store/errors.py": {"url.query"},  # SQLAlchemy's name for the options in an address
    "allocator/store/places.py": {"url.query"},
    "allocator/importers/fetching.py": {"parts.query"},  # urllib's name for what follows `?`
    "allocator/report/document.py": {"typst.query"},  # of our own template; labels reach it as data
    # between us and a process that we started, over its pipes
    "allocator/engines/pulp_any.py": {"pickle", "pickle.dump", "pickle.load", "pickle.UnpicklingError"},
    "allocator/engines/pulp_process.py": {"pickle", "pickle.load", "pickle.dump"},
}


def found(source: str) -> Iterator[str]:
    """What a source does that runs or rebuilds what it is given."""
    tree = ast.parse(source)
    called: dict[str, str] = {}  # our name of it: its own
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            called |= {(name.asname or name.name): name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            called |= {(name.asname or name.name): f"{node.module}.{name.name}" for name in node.names}
    for name in called.values():
        if _runs(name):
            yield name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            said = ast.unparse(node)
            first, _, rest = said.partition(".")
            if _runs(f"{called.get(first, first)}.{rest}") or node.attr in METHODS:
                yield said
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in RUN[""] and node.id not in called:
            yield node.id
        elif isinstance(node, ast.keyword) and node.arg in SHELL and ast.unparse(node.value) != "False":
            yield ast.unparse(node)


def _runs(name: str) -> bool:
    """`numpy.load`, `pickle.Unpickler`, `pickle`."""
    for module, names in RUN.items():
        if module and (name == module or name.startswith(f"{module}.")):
            rest = name.removeprefix(module).removeprefix(".")
            if "*" in names or rest.partition(".")[0] in names:
                return True
    return False


def test_nothing_is_run() -> None:
    """And what is allowed is there."""
    said = {path.relative_to(ROOT).as_posix(): set(found(path.read_text("utf-8"))) for path in SOURCES}
    assert {where: what for where, what in said.items() if what} == ALLOWED


@pytest.mark.parametrize("source", [
    "eval(x)", "exec(x)", "import pickle", "from pickle import loads", "import pandas as pd\npd.read_pickle(x)",
    "from numpy import load", "import numpy as np\nnp.load(x)", "f(x, allow_pickle=True)", "run(x, shell=True)", "frame.query(x)",
    "import yaml\nyaml.load(x, Loader=yaml.Loader)", "from yaml import UnsafeLoader", "import joblib\njoblib.load(x)",
    "import os\nos.system(x)", "__import__(x)", "import lxml.etree", "frame.eval(x)", "from os import system as s",
])  # fmt: skip
def test_it_would_be_found(source: str) -> None:
    assert list(found(source))


@pytest.mark.parametrize("source", ["re.compile(x)", "json.loads(x)", "np.loadtxt(x)", "yaml.safe_load(x)", "f(shell=False)",
                                    "import joblib\njoblib.Parallel(1)"])  # fmt: skip
def test_harmless(source: str) -> None:
    assert not list(found(source))
