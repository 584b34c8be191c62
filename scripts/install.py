"""Install a locked list of libraries, then this folder, into a local environment.

    python3 scripts/install.py requirements/run.txt [--venv .venv]

Standard library only, for it runs before anything is installed. Every library comes with its hash; this
folder is installed as it stands (editable), without dependencies and without build isolation, so that nothing
unpinned is fetched.
Exit status: 0 done, 1 pip failed, 2 this Python cannot do it (and why).
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent


def refuse(*lines: str) -> None:
    """Say what is wrong and what would be right, and stop with status 2."""
    print(*lines, sep="\n", file=sys.stderr)
    sys.exit(2)


def check_python() -> None:
    """This interpreter is recent enough and can make an environment with pip in it."""
    version = ".".join(map(str, sys.version_info[:2]))
    if sys.version_info < OLDEST:
        refuse(
            f"Python {version} ({sys.executable}) est trop ancien : il faut Python 3.11 ou plus récent.",
            "S'il est installé sous un autre nom, indiquez-le : make demo PYTHON=python3.12",
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        refuse(
            f"Python {version} ({sys.executable}) ne sait pas créer d'environnement : ensurepip manque.",
            "Sous Debian ou Ubuntu, un paquet à part le fournit :",
            f"    sudo apt-get install python3-venv    # ou python{version}-venv",
        )


def interpreter(venv: Path) -> Path:
    """The environment's own Python."""
    return venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python"


def make_environment(venv: Path) -> None:
    """Create ``venv`` unless a working one is there; one that no longer works is refused, never deleted."""
    python = interpreter(venv)
    if python.exists() or (venv / "pyvenv.cfg").exists():
        command = [str(python), "-c", f"import pip, sys; sys.exit(sys.version_info < {OLDEST})"]
        try:
            working = subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            working = False
        if not working:
            refuse(
                f"L'environnement {venv} ne fonctionne plus (Python déplacé ou changé ?).",
                "Faites : make clean",
            )
        return
    print(f"Création de l'environnement {venv} …", flush=True)
    if subprocess.run([sys.executable, "-m", "venv", str(venv)], check=False).returncode:
        shutil.rmtree(venv, ignore_errors=True)  # half made, by us, a moment ago
        refuse(f"python -m venv {venv} a échoué (voir ci-dessus).")


def locked(lock: Path) -> int:
    """How many libraries the lock names; some may not concern this platform."""
    return len(re.findall(r"^[a-z0-9][\w.-]*==", lock.read_text(encoding="utf-8"), flags=re.MULTILINE | re.IGNORECASE))


def pip(venv: Path, *arguments: str, total: int = 0) -> None:
    """Run pip, with one line that counts the libraries; all that pip said is shown if it fails."""
    quiet = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")
    command = [str(interpreter(venv)), "-m", "pip", "install", *quiet, *arguments]
    lively = total > 0 and sys.stdout.isatty()
    said: list[str] = []
    seen = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            found = re.match(r"(Collecting|Requirement already satisfied:) ([\w.-]+)", line)
            if found:
                seen += 1
                if lively:
                    print(f"\r\033[K  {seen:>3}/{total}  {found[2]}", end="", flush=True)
            elif lively and line.startswith("Installing collected"):
                print("\r\033[K  copie des fichiers …", end="", flush=True)
    if lively:
        print("\r\033[K", end="", flush=True)
    if process.returncode:
        print("".join(said), file=sys.stderr)
        print("L'installation a échoué : pip dit pourquoi ci-dessus.", file=sys.stderr)
        sys.exit(1)


def main() -> None:
    parser = argparse.ArgumentParser(description="Installe les versions verrouillées dans un environnement local.")
    parser.add_argument("lock", type=Path, help="requirements/run.txt ou requirements/dev.txt")
    parser.add_argument("--venv", type=Path, default=Path(".venv"))
    chosen = parser.parse_args()
    lock, venv = chosen.lock.absolute(), chosen.venv.absolute()
    check_python()
    start = time.monotonic()
    make_environment(venv)
    total = locked(lock)
    print(
        f"Installation de {total} bibliothèques verrouillées (une à deux minutes la première fois) …",
        flush=True,
    )
    pip(venv, "--require-hashes", "-r", str(lock), total=total)
    pip(venv, "--no-deps", "--no-build-isolation", "-e", str(ROOT))
    print(f"Installé en {time.monotonic() - start:.0f} s.", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nInterrompu : relancez la même commande pour reprendre.", file=sys.stderr)
        sys.exit(130)
