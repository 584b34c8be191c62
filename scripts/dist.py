"""Build the wheel and the sources twice, from copies made at different times, and compare them byte for byte.

    python scripts/dist.py                     writes dist/
    python scripts/dist.py --release           and checks that this version may be released: a clean tree, named in CHANGELOG.md
    python scripts/dist.py --release --tests   and passes the tests on what is installed, the wheel alone in an empty environment;
                                               what the sources build must be that wheel, byte for byte

Exit status: 0 done, 1 something is not as it should be (and what). Nothing is published.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"


def fail(why: str) -> None:
    print(why, file=sys.stderr)
    sys.exit(1)


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    done = subprocess.run(command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False)
    if done.returncode:
        fail(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def built(source: Path, into: Path) -> dict[str, str]:
    """{file: its sha256}"""
    run(sys.executable, "-m", "hatchling", "build", "-d", into, cwd=source)
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(into.iterdir())}


def copied(to: Path) -> Path:
    """What git knows of this folder, as it stands, with the dates of now."""
    for name in run("git", "ls-files", "-z").split("\0"):
        if name and (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, to / name)
    return to


def twice() -> dict[str, str]:
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        one = built(copied(Path(first)), DIST)
        time.sleep(2)  # an archive's dates count in twos
        other = built(copied(Path(second)), Path(second) / "dist")
    if one != other:
        fail(f"not the same twice: {one} {other}")
    return one


def may_be_released(version: str) -> None:
    if run("git", "status", "--porcelain"):
        fail("the tree holds what is not committed")
    if f"## [{version}]" not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        fail(f"CHANGELOG.md has no section [{version}]")
    if f"v{version}" in run("git", "tag").split():
        fail(f"there is a tag v{version} already: give pyproject.toml another version")


def tried(wheel: Path, sources: Path) -> str:
    """Install the wheel alone in an empty environment and pass the tests of the sources against it. The sources must build
    the same wheel: who installs them installs what was tried."""
    with tempfile.TemporaryDirectory() as place:
        at = Path(place)
        with tarfile.open(sources) as archive:
            archive.extractall(at, filter="data")
        [tests] = (each for each in at.iterdir() if each.is_dir())
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", at / "dist", cwd=tests)
        if (at / "dist" / wheel.name).read_bytes() != wheel.read_bytes():
            fail(f"{sources.name} builds another wheel")
        run(sys.executable, "-m", "venv", at / "venv")
        python = at / "venv" / "bin" / "python"
        run(
            python,
            "-m",
            "pip",
            "install",
            "-q",
            "--require-hashes",
            "--no-deps",
            "-r",
            ROOT / "requirements" / "dev.txt",
        )
        run(python, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", wheel)
        shutil.rmtree(tests / "allocator")  # what is tested is what was installed
        where = run(python, "-c", "import allocator; print(allocator.__file__)", cwd=tests).strip()
        if not Path(where).is_relative_to(at / "venv"):
            fail(f"{wheel.name}: tested would be {where}")
        said = run(python, "-m", "pytest", "-q", "-n", "2", "--ignore", "tests/test_packaging.py", cwd=tests)
        return said.strip().splitlines()[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", action="store_true")
    parser.add_argument("--tests", action="store_true")
    asked = parser.parse_args()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if asked.release:
        may_be_released(version)
    shutil.rmtree(DIST, ignore_errors=True)
    hashes = twice()
    for name, digest in hashes.items():
        print(digest, name)
    [sources] = DIST.glob("*.tar.gz")
    [wheel] = DIST.glob("*.whl")
    if asked.tests:
        print(f"{wheel.name}: {tried(wheel, sources)}")


if __name__ == "__main__":
    main()
