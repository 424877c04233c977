"""As much of ZooKeeper as Burrow insists on before it starts: it makes one node there, for the locks of notifiers that are
not used here. Everything it reads about groups comes from the broker.

    request   length int32, xid int32, operation int32, …      (the first: a connect request, without xid)
    answer    length int32, xid int32, zxid int64, error int32, …
"""

import socketserver
import struct
import threading

CREATE, PING, CLOSE = 1, 11, -11
UNIMPLEMENTED = -6


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        connect = self._frame()
        if connect is None:
            return
        timeout, = struct.unpack(">i", connect[12:16])
        self._answer(struct.pack(">iiqi", 0, timeout, 1, 16) + bytes(16))
        while (request := self._frame()) is not None:
            xid, operation = struct.unpack(">ii", request[:8])
            error, body = 0, b""
            if operation not in [CREATE, PING, CLOSE]:
                error = UNIMPLEMENTED
            elif operation == CREATE:  # answered with the path
                length, = struct.unpack(">i", request[8:12])
                body = request[8:12 + length]
            self._answer(struct.pack(">iqi", xid, 1, error) + body)
            if operation == CLOSE:
                return

    def _frame(self):
        head = self.rfile.read(4)
        return self.rfile.read(struct.unpack(">i", head)[0]) if len(head) == 4 else None

    def _answer(self, bytes_):
        self.wfile.write(struct.pack(">i", len(bytes_)) + bytes_)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


def zookeeper():
    """A server on a free port: `with zookeeper() as server: server.server_address[1]`."""
    return Server(("127.0.0.1", 0), Session)
