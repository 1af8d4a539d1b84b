"""The processes under test: started here, killed and ended by their pidfd alone."""
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import threading
import time

FLEET = "TEST"
READY_S = 30
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def make_ulid(random):
    number = (time.time_ns() // 1_000_000 << 80) | random.getrandbits(80)
    return "".join(CROCKFORD[number >> 5 * i & 31] for i in reversed(range(26)))


class Process:
    def __init__(self, command, stderr, environment=None):
        self.stderr = pathlib.Path(stderr)
        with open(stderr, "ab") as errors:
            self.popen = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                          stdout=subprocess.DEVNULL, stderr=errors,
                                          env={**os.environ, **(environment or {})})
        self.fd = os.pidfd_open(self.popen.pid)

    def signal(self, number):
        """False where it has ended already."""
        try:
            signal.pidfd_send_signal(self.fd, number)
            return True
        except ProcessLookupError:
            return False

    def wait(self, timeout_s=None):
        status = self.popen.wait(timeout_s)
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
        return status


class Tools:
    """The program, a directory to work in, a signing key."""

    def __init__(self, program, directory):
        self.program = pathlib.Path(program)
        self.directory = pathlib.Path(directory)
        self.key = self.directory / "key"
        self.call("keys", "create", self.key)

    def call(self, *words, check=True, **options):
        return subprocess.run([str(self.program), *(str(word) for word in words)], check=check, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=120, **options)

    def token(self, vantage, run_id=None):
        words = ["keys", "token", "--key", self.key, "--fleet", FLEET, "--vantage", vantage]
        return self.call(*words, *(["--run-id", run_id] if run_id else [])).stdout.strip()

    def start(self, *words, log, environment=None):
        return Process([self.program, *words], self.directory / log, environment)


class Collector:
    """`parallax serve`, on the same port and database after each kill."""

    def __init__(self, tools, name="collector"):
        self.tools = tools
        self.database = tools.directory / f"{name}.db"
        self.log = f"{name}.log"
        self.port = 0
        self.kills = 0
        self.lock = threading.Lock()
        self.process = None
        tools.call("keys", "add", "--database", f"sqlite:{self.database}", f"{tools.key}.pub")

    def start(self):
        self.process = self.tools.start("serve", "--database", f"sqlite:{self.database}", "--listen",
                                        f"127.0.0.1:{self.port}", log=self.log)

    def start_and_wait(self):
        self.start()
        deadline = time.monotonic() + READY_S
        while not (ports := re.findall(r"http://127\.0\.0\.1:(\d+)", self.process.stderr.read_text())):
            if time.monotonic() > deadline or self.process.popen.poll() is not None:
                raise RuntimeError(f"the collector does not start: {self.process.stderr.read_text()}")
            time.sleep(0.01)
        self.port = int(ports[-1])

    def kill_and_restart(self):
        """True where the kill hit a living collector."""
        with self.lock:
            if not self.process.signal(signal.SIGKILL):
                raise RuntimeError(f"the collector has ended by itself: {self.process.stderr.read_text()[-2000:]}")
            hit = self.process.wait() == -signal.SIGKILL
            self.kills += hit
            self.start()
            return hit

    def stop(self):
        with self.lock:
            self.process.signal(signal.SIGTERM)
            return self.process.wait(30)

    def end(self):
        """For the end of a test, whatever happened."""
        with self.lock:
            if self.process and self.process.fd >= 0:
                self.process.signal(signal.SIGKILL)
                self.process.wait(30)

    def rows(self):
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            return [json.loads(text) for (text,) in connection.execute("SELECT json FROM measurements")]

    def count_conflicts(self):
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            return connection.execute("SELECT count(*) FROM conflicts").fetchone()[0]

    def counters(self):
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            return dict(connection.execute("SELECT name, value FROM counters"))

    def integrity(self):
        with sqlite3.connect(self.database) as connection:
            return connection.execute("PRAGMA integrity_check").fetchone()[0]


class Run:
    """One order: cones that nobody else asks, in a file of mode 0600."""

    def __init__(self, tools, random, vantage, service_url, collector_url, cones, queries_per_second=1000.0,
                 parallel=4):
        self.run_id = make_ulid(random)
        self.vantage = vantage
        self.cones = [{"ra": round(random.uniform(0, 360), 7), "dec": round(random.uniform(-90, 90), 7),
                       "radius": round(random.uniform(0.05, 0.25), 7)} for _ in range(cones)]
        self.token = tools.token(vantage, self.run_id)
        self.file = tools.directory / f"{self.run_id}.order"
        order = {"schema": "parallax.order.v1", "fleet": FLEET, "round_id": self.run_id, "run_id": self.run_id,
                 "vantage": vantage, "collector": collector_url, "token": self.token, "cone_list": self.cones,
                 "services": [{"name": "sample", "provider": "test", "type": "cone", "url": service_url}],
                 "providers": [{"name": "test", "queries_per_second": queries_per_second, "parallel": parallel,
                                "simultaneous": True}]}
        with open(os.open(self.file, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            json.dump(order, file)

    def probe_words(self, spool, flush_wait):
        return ["probe", "--order", self.file, "--spool", spool, "--flush-wait", flush_wait, "--output", "none"]
