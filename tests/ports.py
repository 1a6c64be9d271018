"""Loopback ports for servers that the tests start."""

import random
import socket
from pathlib import Path

LOWEST = 15_000
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port nobody listens on, and that the system gives to nobody who asks for any.

    A server comes up long after its port was chosen. A port the system hands out would by then be the near end of some
    connection, or another test's server, and the wait for it could even be answered by itself.
    """
    highest = int(EPHEMERAL.read_text().split()[0]) if EPHEMERAL.exists() else 32_768
    while True:
        port = random.randrange(LOWEST, max(highest, LOWEST + 1_000))
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                continue
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
