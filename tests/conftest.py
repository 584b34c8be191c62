"""Every test begins in the language of the environment. A real PostgreSQL for the tests that want one: a cluster of its own on loopback, one for all workers of a run."""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
from cluster import PASSWORD

from allocator import texts

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # begun in the background of a shell: Ctrl-C is tested all the same
    signal.signal(signal.SIGINT, signal.default_int_handler)


def left_out(why: str) -> NoReturn:
    """Nobody must install a server to run the tests at home; the build machine must have one."""
    if os.environ.get("CI") == "true":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """What a command set by `--lang` in this process ends with its test."""
    token = texts._current.set(None)
    yield
    texts._current.reset(token)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the cluster, of a user who may do anything; its durability is that of a fresh installation."""
    binaries = _binaries()
    shared = tmp_path_factory.getbasetemp()
    note = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "postgresql.json"
    with open(note.with_suffix(".lock"), "a", encoding="utf-8") as lock:  # let go of however we end
        fcntl.flock(lock, fcntl.LOCK_SH)
        with _alone(note) as told:
            if not Path(told.get("folder", "/nowhere")).exists():
                told |= _started(binaries, lock.name)
            url = told["url"]
        yield url


@pytest.fixture
def own_postgresql(tmp_path: Path) -> Iterator[str]:
    """The URL of a cluster that nobody else uses: it may be made to crash."""
    with open(tmp_path / "postgresql.lock", "a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield _started(_binaries(), lock.name)["url"]


@pytest.fixture
def empty_database(postgresql: str) -> Iterator[Callable[..., str]]:
    """Makes empty databases; gives their URLs."""
    import psycopg

    made: list[str] = []
    with psycopg.connect(postgresql, autocommit=True) as connection:

        def make(options: str = "") -> str:
            name = f"t{os.getpid()}_{time.monotonic_ns()}"
            connection.execute(f"CREATE DATABASE {name} {options}")
            made.append(name)
            return f"{postgresql.rpartition('/')[0]}/{name}"

        yield make
        for name in made:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _binaries() -> Path:
    """The folder of `initdb` and `postgres`: Debian keeps them out of PATH."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        left_out("the library psycopg is not installed")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        left_out("no PostgreSQL here (Debian: apt-get install postgresql)")
    return (found[-1] if found else Path(str(on_path)).resolve()).parent


@contextmanager
def _alone(note: Path) -> Iterator[dict[str, Any]]:
    """What the workers of this run tell each other, one at a time."""
    with open(note, "a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        told = json.loads(file.read() or "{}")
        yield told
        file.truncate(0)
        file.write(json.dumps(told))


def _started(binaries: Path, lock: str) -> dict[str, Any]:
    """A new cluster in a folder of its own, run as somebody who is not root (PostgreSQL wants it so), until nobody holds the
    lock any more."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    as_user: dict[str, Any] = {}
    if os.getuid() == 0:
        names = {user.pw_name for user in pwd.getpwall()}
        as_user = {"user": "postgres" if "postgres" in names else "nobody", "extra_groups": []}
        user = pwd.getpwnam(as_user["user"])
        as_user["group"] = user.pw_gid
        os.chown(folder, user.pw_uid, user.pw_gid)
    secret, log = folder / "secret", folder / "log"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)  # the folder itself is closed to others
    command = [str(binaries / "initdb"), "-D", str(folder / "data"), "-U", "tests", "--encoding=UTF8", "--locale=C"]
    command += ["--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync"]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **as_user)
    assert made.returncode == 0, made.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(binaries / "postgres"), "-D", str(folder / "data"), "-h", "127.0.0.1", "-p", str(port), "-k", ""]
    asked = json.dumps({"args": command, "cwd": str(folder), **as_user})
    keeper = [sys.executable, str(Path(__file__).with_name("keeper.py")), lock, str(folder), asked]
    nowhere = subprocess.DEVNULL
    subprocess.Popen(keeper, start_new_session=True, stdin=nowhere, stdout=nowhere, stderr=nowhere)
    for _ in range(300):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0 and "ready to accept connections" in log.read_text():
                break
        time.sleep(0.1)
    else:
        raise AssertionError(log.read_text())
    secret.unlink()
    quoted = PASSWORD.replace("+", "%2B").replace(":", "%3A").replace("@", "%40")
    url = f"postgresql://tests:{quoted}@127.0.0.1:{port}/postgres"
    return {"url": url, "folder": str(folder)}
