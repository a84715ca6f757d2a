"""The mean time, in milliseconds, that a relay takes to answer NOOP: roundtrip.py PORT"""

import socket
import sys
import time

COUNT = 20


def ask(relay, command, code):
    """Sends a command and waits for its answer; a connection that is closed answers with nothing at once."""
    relay.sendall(command)
    answer = relay.recv(4096)
    if not answer.startswith(code):
        sys.exit(f"roundtrip.py: {command!r} was answered with {answer!r}")


with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as relay:
    relay.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ask(relay, b"", b"220")
    ask(relay, b"HELO bench.example.org\r\n", b"250")
    begun = time.monotonic()
    for _ in range(COUNT):
        ask(relay, b"NOOP\r\n", b"250")
    print(round((time.monotonic() - begun) * 1000 / COUNT, 2))
    relay.sendall(b"QUIT\r\n")
