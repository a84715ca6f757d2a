#!/usr/bin/env python3
"""An SMTP sink that notes when it took each message, and from which node (its EHLO name).

rate_sink.py FILE   listens on a free port of loopback, prints the port, and writes a line a message:
the monotonic time in seconds, and the name.
"""

import asyncio
import sys
import time


async def talk(reader, writer, record):
    name = "?"

    async def say(line):
        writer.write(line.encode() + b"\r\n")
        await writer.drain()

    await say("220 sink")
    while line := await reader.readline():
        verb, _, rest = line.decode("latin-1").strip().partition(" ")
        if verb == "EHLO":
            name = rest
            await say("250-sink\r\n250 PIPELINING")
        elif verb == "DATA":
            await say("354 go on")
            while (line := await reader.readline()) not in (b".\r\n", b""):
                pass
            record.write(f"{time.monotonic():.6f} {name}\n")
            await say("250 taken")
        elif verb == "QUIT":
            await say("221 bye")
            break
        else:
            await say("250 ok")
    writer.close()


async def main():
    with open(sys.argv[1], "w", buffering=1, encoding="ascii") as record:

        async def serve(reader, writer):
            try:
                await talk(reader, writer, record)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


asyncio.run(main())
