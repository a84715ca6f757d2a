"""Runs a command and measures it: measure.py [--port PORT] OUT COMMAND…

Writes JSON to OUT: `code`, `wall` (seconds), `cpu` (user and system, seconds), `peak` (VmHWM in KiB,
looked at every 20 ms), and with --port when the first connection to that port was seen (`first`,
seconds after the start) and how much CPU had gone by then (`cpu_first`).
"""

import json
import os
import resource
import subprocess
import sys
import time

TICK = os.sysconf("SC_CLK_TCK")


def peak(pid):
    try:
        with open(f"/proc/{pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def cpu(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK
    except OSError:
        return 0.0


def connected(port):
    """Whether anybody has a connection to this port of loopback."""
    end = f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table) as sockets:
                for line in sockets:
                    fields = line.split()
                    # 01 is ESTABLISHED; what is left of earlier runs is not.
                    if fields[2].endswith(end) and fields[3] == "01":
                        return True
        except OSError:
            pass
    return False


def main():
    arguments = sys.argv[1:]
    port = None
    if arguments[0] == "--port":
        port, arguments = int(arguments[1]), arguments[2:]
    out, command = arguments[0], arguments[1:]
    begun = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    result = {"first": None, "cpu_first": None, "peak": 0}
    while child.poll() is None:
        result["peak"] = max(result["peak"], peak(child.pid))
        if port is not None and result["first"] is None and connected(port):
            result["first"] = time.monotonic() - begun
            result["cpu_first"] = cpu(child.pid)
        time.sleep(0.02 if port is None or result["first"] is not None else 0.002)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    result.update(
        code=child.returncode, wall=time.monotonic() - begun, cpu=used.ru_utime + used.ru_stime
    )
    with open(out, "w") as file:
        json.dump(result, file)
    sys.exit(child.returncode if child.returncode >= 0 else 128 - child.returncode)


main()
