"""Stands between a probe and the collector, sees each POST go through, and can hold it, cut it or answer itself."""
import socket
import time

import wire

CONNECT_RETRY_S = 1.0
# Of a POST: its last byte has left the probe; the collector has it; the collector has answered; the probe has half of
# the answer.
MOMENTS = ("received", "forwarded", "answered", "half")


class PostProxy:
    """`watch(moment)` is called at each moment of each POST; where it returns False, both connections are cut there.
    `script` is a list of functions (proxy, connection, head, body), each taking one POST instead of the collector."""

    def __init__(self, collector_port, watch=lambda moment: True, script=()):
        self.collector_port = collector_port
        self.watch = watch
        self.script = list(script)
        self.posts = 0
        self.listener = wire.Listener(self.serve)
        self.url = f"http://127.0.0.1:{self.listener.port}"

    def serve(self, connection):
        while True:
            head, body = wire.read_message(connection)
            self.posts += 1
            if self.script:
                self.script.pop(0)(self, connection, head, body)
                return
            if not self.pass_on(connection, head, body):
                return

    def pass_on(self, connection, head, body):
        if not self.watch("received"):
            return False
        with self.connect() as collector:
            collector.sendall(head + body)
            if not self.watch("forwarded"):
                return False
            answer = b"".join(wire.read_message(collector))
        if not self.watch("answered"):
            return False
        half = len(answer) // 2
        connection.sendall(answer[:half])
        if not self.watch("half"):
            return False
        connection.sendall(answer[half:])
        return True

    def ask_collector(self, head, body):
        """The collector's whole answer: what it did is done, whatever the probe hears of it."""
        with self.connect() as collector:
            collector.sendall(head + body)
            return b"".join(wire.read_message(collector))

    def connect(self):
        """A collector that was just killed starts again at once."""
        deadline = time.monotonic() + CONNECT_RETRY_S
        while True:
            try:
                collector = socket.create_connection(("127.0.0.1", self.collector_port), timeout=wire.TIMEOUT_S)
                collector.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return collector
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
