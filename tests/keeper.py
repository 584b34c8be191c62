"""Keeps a server while somebody needs it: stopped, and its folder removed, once nobody holds the lock, even by being killed.

python keeper.py LOCK FOLDER '{"args": [...], ...}'    the JSON: what `subprocess.Popen` is given
"""

from __future__ import annotations

import fcntl
import json
import shutil
import signal
import subprocess
import sys


def main(lock: str, folder: str, asked: str) -> None:
    with open(f"{folder}/log", "w", encoding="utf-8") as log:
        server = subprocess.Popen(**json.loads(asked), stdout=log, stderr=log, start_new_session=True)
    with open(lock, "a", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # each who needs it shares the lock
        server.send_signal(signal.SIGQUIT)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
