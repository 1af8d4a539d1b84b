"""Services that cost next to nothing, so that what is measured is the client. Each is a process of its own."""
import multiprocessing
import socket

SO_MAX_PACING_RATE = 47


def fixed_answer(body):
    return (b"HTTP/1.1 200 OK\r\nContent-Type: application/x-votable+xml\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)) + body


def serve(listener, answer, bytes_per_second):
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if bytes_per_second:
                connection.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, bytes_per_second)
            head = b""
            try:
                while b"\r\n\r\n" not in head:
                    piece = connection.recv(65536)
                    if not piece:
                        break
                    head += piece
                else:
                    connection.sendall(answer)
                    # Wait for the client's end: closing with unread bytes would reset the connection.
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(1)
            except OSError:
                pass  # the client has gone


class FixedService:
    """Answers every request with the same bytes, one connection after another; with a limit, no faster than that."""

    def __init__(self, body, bytes_per_second=0):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self.process = multiprocessing.Process(target=serve, args=(listener, fixed_answer(body), bytes_per_second),
                                               daemon=True)
        self.process.start()
        listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.join()


ROW = "<TR><TD>SRC 000000001</TD>" + "".join(f"<TD>{i * 1.37:.6f}</TD>" for i in range(12)) + "</TR>\n"


def votable(rows):
    head = ('<?xml version="1.0"?><VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
            '<RESOURCE type="results"><TABLE><FIELD name="id" datatype="char" arraysize="*"/>'
            + "".join(f'<FIELD name="c{i}" datatype="double"/>' for i in range(12)) + "<DATA><TABLEDATA>\n")
    return (head + ROW * rows + "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>").encode()
