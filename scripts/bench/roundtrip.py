"""The mean time, in milliseconds, that a relay takes to answer NOOP: roundtrip.py PORT"""

import socket
import sys
import time

COUNT = 20

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as relay:
    relay.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    relay.recv(4096)
    relay.sendall(b"HELO bench.example.org\r\n")
    relay.recv(4096)
    begun = time.monotonic()
    for _ in range(COUNT):
        relay.sendall(b"NOOP\r\n")
        relay.recv(4096)
    print(round((time.monotonic() - begun) * 1000 / COUNT, 2))
    relay.sendall(b"QUIT\r\n")
