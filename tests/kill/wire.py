"""Just enough HTTP/1.1 over sockets for a test that must see, hold and cut single bytes."""
import socket
import threading

HEAD_BYTES_MAX = 64 << 10
BODY_BYTES_MAX = 64 << 20
TIMEOUT_S = 30


class Closed(Exception):
    """The other side has gone, or says what is no HTTP."""


def read_message(connection):
    """One request or answer with a Content-Length (or no body): (head, body), both as bytes, as they came."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece or len(data) > HEAD_BYTES_MAX:
            raise Closed
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
        if name.strip().lower() == b"expect":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if length > BODY_BYTES_MAX:
        raise Closed
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            raise Closed
        body += piece
    return head + b"\r\n\r\n", body


def answer(status, body, content_type, close=True):
    head = f"HTTP/1.1 {status} x\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return (head + ("Connection: close\r\n\r\n" if close else "\r\n")).encode(), body


class Listener:
    """Calls `serve(connection)` in a thread of its own for each connection to a free port of loopback."""

    def __init__(self, serve):
        self.serve = serve
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(256)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_one, args=(connection,), daemon=True).start()

    def serve_one(self, connection):
        with connection:
            connection.settimeout(TIMEOUT_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self.serve(connection)
            except (Closed, OSError):
                pass  # the probe may have been killed: that is what this test does

    def close(self):
        self.socket.close()
