"""Many connections that have done something and now do nothing."""

import resource
import socket
import time

from processes import Broker, api_versions

CONNECTIONS = 5_000
# So many have also sent one large request.
BUSY_CONNECTIONS = 500
LARGE_REQUEST_BYTES = 300_000


def run(binary, directory, _arguments, figures):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < CONNECTIONS + 100:
        raise SystemExit(f"only {most} open files are allowed (ulimit -Hn); {CONNECTIONS + 100} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # Its own metrics go through a connection and a spool, which come some seconds after the start.
    with Broker(binary, f"{directory}/broker", "--self-metrics", "off") as broker:
        time.sleep(0.5)
        before, descriptors = broker.resident_megabytes(), broker.descriptors()
        connections = []
        for _ in range(CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", broker.port), timeout=10)
            api_versions(connection)
            connections.append(connection)
        time.sleep(1)
        idle = broker.resident_megabytes()
        each = (idle - before) * 1024 / CONNECTIONS
        figures.at_most(f"{CONNECTIONS:,} idle connections: memory of each", each, 20, "KB")
        for connection in connections[:BUSY_CONNECTIONS]:
            # A broker ignores what follows the fields of a request that it knows.
            api_versions(connection, padding=LARGE_REQUEST_BYTES)
        time.sleep(1)
        more = (broker.resident_megabytes() - idle) * 1024 / BUSY_CONNECTIONS
        figures.at_most("idle after a request of 300 kB: more of each", more, 20, "KB")
        for connection in connections:
            connection.close()
        deadline = time.monotonic() + 10
        while broker.descriptors() > descriptors and time.monotonic() < deadline:
            time.sleep(0.05)
        figures.at_most("descriptors left when they have closed", broker.descriptors() - descriptors, 0, "")
        broker.stop()
