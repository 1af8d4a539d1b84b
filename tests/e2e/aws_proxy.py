"""A proxy before the simulated cloud: delays and refuses by region, and remembers what went through."""
import http.client
import http.server
import re
import socketserver
import threading
import time

SCOPE = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
REFUSAL = (b'<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>AuthFailure</Code><Message>AWS was not able '
           b'to validate the provided access credentials</Message></Error></Errors><RequestID>proxy-1</RequestID></Response>')


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Proxy:
    """delays: region -> seconds; refused: regions that answer AuthFailure; held: regions that answer after release();
    together: nobody is answered before so many requests are here at once."""

    def __init__(self, upstream, delays=None, refused=(), held=(), together=1):
        self.upstream = upstream.removeprefix("http://")
        self.delays, self.refused, self.held = delays or {}, set(refused), set(held)
        self.barrier = threading.Barrier(together, timeout=20)
        self.seen = []  # (region, service, action)
        self.released = threading.Event()
        self.lock = threading.Lock()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                proxy.handle(self)

            do_POST = do_GET = do_PUT = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        Handler.disable_nagle_algorithm = True
        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def handle(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        scope = SCOPE.search(handler.headers.get("Authorization", ""))
        region, service = (scope[2], scope[3]) if scope else ("", "")
        action = re.search(rb"(?:^|&)Action=(\w+)", body)
        with self.lock:
            self.seen.append((region, service, action[1].decode() if action else handler.headers.get("X-Amz-Target", "")))
        if region in self.held:
            self.released.wait(60)
        self.barrier.wait()
        started = time.monotonic()
        status, headers, answer = (401, {"Content-Type": "text/xml"}, REFUSAL) if region in self.refused else \
            self.forward(handler, body)
        time.sleep(max(0.0, self.delays.get(region, 0) - (time.monotonic() - started)))
        handler.send_response_only(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer)))
        try:
            handler.end_headers()
            handler.wfile.write(answer)
        except ConnectionError:
            handler.close_connection = True  # who asked has gone, as some tests want

    def forward(self, handler, body):
        connection = http.client.HTTPConnection(self.upstream, timeout=30)
        try:
            # Host is signed, so it goes through as it came.
            connection.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
            for name, value in handler.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            answer = response.read()
            kept = {name: value for name, value in response.getheaders()
                    if name.lower() not in ("content-length", "transfer-encoding", "connection")}
            return response.status, kept, answer
        finally:
            connection.close()

    def release(self):
        self.released.set()

    def close(self):
        self.release()
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
