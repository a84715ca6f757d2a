"""A proxy that delays and does not slow: delay.py TARGET_PORT MILLISECONDS

Prints its own port. What comes in leaves that much later, in each direction, in the same pieces; as
much as there is may be under way.
"""

import asyncio
import socket
import sys

CHUNK = 1 << 20


def hurry(writer):
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


async def carry(reader, writer, delay):
    clock = asyncio.get_running_loop().time
    line = asyncio.Queue()

    async def take():
        while True:
            chunk = await reader.read(CHUNK)
            line.put_nowait((clock() + delay, chunk))
            if not chunk:
                return

    taking = asyncio.create_task(take())
    try:
        while True:
            due, chunk = await line.get()
            await asyncio.sleep(max(0.0, due - clock()))
            if not chunk:
                break
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        pass
    finally:
        taking.cancel()


async def main(target, delay):
    async def serve(reader, writer):
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            writer.close()
            return
        hurry(writer)
        hurry(there_writer)
        await asyncio.gather(
            carry(reader, there_writer, delay), carry(there_reader, writer, delay), return_exceptions=True
        )
        writer.close()
        there_writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=CHUNK)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]) / 1000))
