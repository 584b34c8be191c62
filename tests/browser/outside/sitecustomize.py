"""Put on the path of a server under test: writes down every attempt to reach another machine."""

import os
import sys

_NEAR = {"127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "", None}


def _watch(event: str, args: tuple) -> None:
    if event == "socket.getaddrinfo":
        host = args[0]
    elif event in ("socket.connect", "socket.sendto"):
        address = args[1]
        if not isinstance(address, tuple):  # a socket of this machine's own
            return
        host = address[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in _NEAR:
        with open(os.environ["OUTSIDE"], "a", encoding="utf-8") as file:
            file.write(f"{event} {host}\n")


sys.addaudithook(_watch)
