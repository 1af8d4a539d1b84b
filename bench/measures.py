"""The measures. Each gives rows for the table; what is compared runs alternately in the same minute."""
import dataclasses
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import sqlite3
import statistics
import subprocess
import tempfile
import time
import zlib

import aws_answers
import cloud
import fleet
import services
from row import Row

QUERIES = 1500
LARGE_BYTES = 20_000_000
GIGABIT = 125_000_000  # bytes a second
SPOOLS, RECORDS = 6, 10_000
FLEET = "BENCH"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclasses.dataclass
class Spent:
    wall_s: float
    cpu_s: float
    output: str = ""


class Bench:
    def __init__(self, build):
        self.program = build / "parallax"
        self.votable_bench = build / "bench" / "votable_bench"
        self.cloud_load = build / "bench" / "cloud_load"
        self.scaled_parallax = build / "bench" / "scaled_parallax"
        self.aws_parse_bench = build / "bench" / "aws_parse_bench"
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="parallax-bench-"))

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def call(self, *words, statuses=(0,)):
        """Runs it to its end: wall, and the processor time of this one child."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        result = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=120, check=False)
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if result.returncode not in statuses:
            raise RuntimeError(f"{' '.join(map(str, words))} ended with {result.returncode}: {result.stderr[-1000:]}")
        return Spent(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, result.stdout)

    def write_order(self, port, queries):
        """An order of its own each time: an order that was done is not done again."""
        order = {"schema": "parallax.order.v1", "fleet": FLEET, "run_id": make_ulid(), "vantage": "here",
                 "cones": {"seed": "1", "count": queries},
                 "services": [{"name": "fixed", "provider": "bench", "type": "xcone",
                               "url": f"http://127.0.0.1:{port}/?RA={{ra}}&DEC={{dec}}&SR={{radius}}"}],
                 "providers": [{"name": "bench", "queries_per_second": 1_000_000, "parallel": 1}]}
        path = self.directory / "order.json"
        path.write_text(json.dumps(order), encoding="utf-8")
        return path

    def probe(self, port, queries, output="none"):
        return self.call(self.program, "probe", "--order", self.write_order(port, queries), "--spool",
                         self.directory / "spool", "--output", output)

    def curl(self, port, queries, *options):
        """The same URLs in one process, a connection each."""
        urls = "".join(f'url = "http://127.0.0.1:{port}/?RA={i}&DEC=1&SR=0.1"\noutput = /dev/null\n'
                       for i in range(queries))
        config = self.directory / "curl.config"
        config.write_text(urls, encoding="utf-8")
        return self.call("curl", "-q", "-s", "-S", "-K", config, *options)


def make_ulid():
    number = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join(CROCKFORD[number >> 5 * i & 31] for i in reversed(range(26)))


def median(values):
    return statistics.median(values)


def per_query(bench):
    """What a query costs beyond curl: the probe's process with its spool, less a process of one query; so is curl's."""
    ours, peer = [], []
    with services.FixedService(services.votable(20)) as service:
        bench.probe(service.port, 50)
        for _ in range(5):
            for spend, list_ in ((bench.probe, ours), (bench.curl, peer)):
                one, many = spend(service.port, 1), spend(service.port, QUERIES)
                list_.append(((many.wall_s - one.wall_s) / (QUERIES - 1), (many.cpu_s - one.cpu_s) / (QUERIES - 1)))
    rows = []
    for i, name in enumerate(("wall", "CPU")):
        a, b = median(x[i] for x in ours) * 1e3, median(x[i] for x in peer) * 1e3
        rows.append(Row(f"{name} per query, spool included, and curl's", f"{a:.3f} ms", f"{b:.3f} ms", a / b,
                        f"difference < 0.3 ms: {a - b:.3f}", a - b < 0.3))
    return rows


def transfer(bench):
    """20 MB in one answer: the probe's own figure for the whole query against curl's for the same URL. Without a limit
    of speed it shows what keeping the body costs, which curl does too when it writes a file."""
    body = services.votable(LARGE_BYTES // len(services.ROW))
    away, file = "/dev/null", bench.directory / "body"
    rows = []
    for name, pace, target, rounds in (("1 Gbit/s, and curl's", GIGABIT, away, 11),
                                       ("loopback's speed, and curl's into a file", 0, file, 15),
                                       ("loopback's speed, and curl's, body dropped", 0, away, 15)):
        ours, peer = [], []
        with services.FixedService(body, pace) as service:
            for _ in range(rounds):
                record = json.loads(bench.probe(service.port, 1, "ndjson").output)
                if record["verdict"] != "ok" or record["bytes_wire"] != len(body):
                    raise RuntimeError(f"the probe did not read the table: {record}")
                ours.append(record["total_us"] / 1e3)
                url = f"http://127.0.0.1:{service.port}/"
                curl = bench.call("curl", "-q", "-s", "-S", "-o", target, "-w", "%{time_total}", url)
                peer.append(float(curl.output) * 1e3)
        a, b = median(ours), median(peer)
        aim = ("within 2 %", a / b < 1.02) if pace else ("", None)
        rows.append(Row(f"20 MB at {name}", f"{a:.1f} ms", f"{b:.1f} ms", a / b, *aim))
    return rows


def start_up(bench):
    client = "import boto3; boto3.client('ec2', region_name='eu-west-3')"
    ours, peer = [], []
    for _ in range(9):
        ours += [bench.call(bench.program, "version").wall_s * 1e3 for _ in range(3)]
        peer.append(bench.call("/usr/bin/python3", "-c", client).wall_s * 1e3)
    a, b = median(ours), median(peer)
    return [Row("parallax version, and python3 making a boto3 client", f"{a:.1f} ms", f"{b:.0f} ms", a / b,
                f"< 15 ms and 1:40: 1:{b / a:.0f}", a < 15 and b / a >= 40)]


# -- six spools into one database

def sample_record(bench):
    with services.FixedService(services.votable(20)) as service:
        return json.loads(bench.probe(service.port, 1, "ndjson").output)


def fill_spool(bench, record, number):
    run_id = make_ulid()
    directory = bench.directory / f"spool-{number}"
    directory.mkdir(mode=0o700)
    lines = []
    for sequence in range(RECORDS):
        record.update(run_id=run_id, sequence=sequence, id=f"{run_id}-{sequence}", vantage=f"v{number}",
                      cone_index=sequence, ra=sequence / 100, total_us=900 + sequence)
        lines.append(json.dumps(record, separators=(",", ":")))
    texts = [f"record {line}" for line in lines] + ["end-of-run"]
    journal = "".join(f"{zlib.crc32(text.encode()):08x} {text}\n" for text in texts)
    (directory / f"{run_id}.journal").write_text(journal, encoding="utf-8")
    return directory, run_id, lines


def bare_sqlite(bench, spools):
    """The same records by one writer, in transactions as large as a batch, into a table of three columns."""
    connection = sqlite3.connect(bench.directory / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE records (run_id TEXT, sequence INTEGER, json TEXT, UNIQUE (run_id, sequence))")
    start = time.perf_counter()
    for _, run_id, lines in spools:
        for at in range(0, RECORDS, 500):
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO records VALUES (?, ?, ?)",
                                   [(run_id, at + i, line) for i, line in enumerate(lines[at:at + 500])])
            connection.execute("COMMIT")
    wall = time.perf_counter() - start
    connection.close()
    return wall


def start_collector(bench, database, log):
    with open(log, "wb") as errors:
        process = subprocess.Popen([bench.program, "serve", "--database", database, "--listen", "127.0.0.1:0"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
    for _ in range(1000):
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return process, found[0]
        time.sleep(0.01)
    process.kill()
    raise RuntimeError(f"the collector does not start: {log.read_text()}")


def ingest(bench):
    record = sample_record(bench)
    spools = [fill_spool(bench, record, number) for number in range(SPOOLS)]
    key, database = bench.directory / "key", f"sqlite:{bench.directory / 'collector.db'}"
    bench.call(bench.program, "keys", "create", key)
    bench.call(bench.program, "keys", "add", "--database", database, f"{key}.pub")
    tokens = []
    for number in range(SPOOLS):
        tokens.append(bench.directory / f"token-{number}")
        token = bench.call(bench.program, "keys", "token", "--key", key, "--fleet", FLEET, "--vantage", f"v{number}")
        with open(os.open(tokens[-1], os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(token.output)
    collector, url = start_collector(bench, database, bench.directory / "collector.log")
    try:
        start = time.perf_counter()
        senders = [subprocess.Popen([bench.program, "spool", "send", "--spool", directory, "--collector", url,
                                     "--token-file", token], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                   for (directory, _, _), token in zip(spools, tokens)]
        statuses = [sender.wait(120) for sender in senders]
        wall = time.perf_counter() - start
    finally:
        collector.send_signal(signal.SIGTERM)
        collector.wait(30)
    with sqlite3.connect(bench.directory / "collector.db") as connection:
        stored = connection.execute("SELECT count(*) FROM measurements").fetchone()[0]
    if any(statuses) or stored != SPOOLS * RECORDS:
        raise RuntimeError(f"senders ended with {statuses}; {stored} of {SPOOLS * RECORDS} records were stored")
    ours, peer = stored / wall, stored / bare_sqlite(bench, spools)
    return [Row(f"measurements/s, {SPOOLS} spools over HTTP, and bare SQLite", f"{ours:.0f}", f"{peer:.0f}",
                ours / peer, "10,000", ours >= 10_000)]


def votable(bench):
    text = bench.call(bench.votable_bench, "--benchmark_format=json", "--benchmark_repetitions=3",
                      "--benchmark_enable_random_interleaving=true").output
    speeds = {run["run_name"]: run["bytes_per_second"] / 1e6 for run in json.loads(text)["benchmarks"]
              if run.get("aggregate_name") == "median"}
    a, b = speeds["our_reader"], speeds["bare_expat"]
    return [Row("VOTable MB/s, and bare expat", f"{a:.0f}", f"{b:.0f}", a / b)]


# -- the AWS client against the simulated cloud

def aws_call(bench):
    """A small call of a process of its own, as scripts make them; both against the same endpoint."""
    ours, peer = [], []
    with cloud.Cloud(bench.program) as far:
        for _ in range(9):
            for _ in range(3):
                ours.append(far.call(bench.program, "aws", "ec2", "describe-regions")[0] * 1e3)
            peer.append(far.call("/usr/bin/aws", "--endpoint-url", far.url, "ec2", "describe-regions")[0] * 1e3)
    a, b = median(ours), median(peer)
    return [Row("parallax aws ec2 describe-regions, and /usr/bin/aws", f"{a:.1f} ms", f"{b:.0f} ms", a / b, f"1:40: 1:{b / a:.0f}",
                b / a >= 40)]


def distant_regions(bench):
    """Every region at once, from Oregon: round trips by distance, a fresh connection each. The slowest region alone is what
    cannot be beaten; boto3 goes region after region, as its users write it."""
    trips = cloud.round_trips("us-west-2")
    script = bench.directory / "latency.toml"
    script.write_text("[latency]\n" + "".join(f'{region} = "{ms}ms"\n' for region, ms in trips.items()), encoding="utf-8")
    slowest = max(trips, key=trips.get)
    all_, one, peer = [], [], []
    with cloud.Cloud(bench.program, "--all-regions", "--enabled", ",".join(cloud.opt_in_regions()), "--latency", script) as far:
        for _ in range(5):
            wall, text = far.call(bench.program, "aws", "ec2", "describe-instances", "--all")
            if len(json.loads(text)) != len(trips):
                raise RuntimeError(f"{len(json.loads(text))} regions answered, not {len(trips)}")
            all_.append(wall * 1e3)
            one.append(far.call(bench.program, "aws", "ec2", "describe-instances", "--region", slowest)[0] * 1e3)
        for _ in range(2):
            peer.append(float(far.call("/usr/bin/python3", cloud.ROOT / "bench" / "boto3_regions.py")[1].split()[0]) * 1e3)
    a, b, c = median(all_), median(one), median(peer)
    return [Row(f"{len(trips)} regions at once, and the slowest ({slowest}) alone", f"{a:.0f} ms", f"{b:.0f} ms", a / b,
                "within 1.15", a / b <= 1.15),
            Row(f"{len(trips)} regions at once, and boto3 one after another", f"{a:.0f} ms", f"{c:.0f} ms", a / c)]


def cloud_requests(bench):
    """Signed requests that the simulated cloud serves, 8 connections on this machine: client and server share it. The
    mix is of what a fleet's program asks: see cloud_load.cc."""
    rates = []
    with cloud.Cloud(bench.program, "--no-throttling", "--time-scale", "100", "--jobs-take", "1s") as far:
        host, port = far.url.removeprefix("http://").split(":")
        names = cloud.send_command(far)
        for _ in range(3):
            count, seconds = bench.call(bench.cloud_load, host, port, 2, 8, *names).output.split()
            rates.append(int(count) / float(seconds))
    return [Row("signed requests/s of the simulated cloud, mixed", f"{median(rates):.0f}", "none", 1.0)]


def aws_parse(bench):
    """Answers of DescribeInstances, parsed by us and by botocore, processor time; each parser in a process of its own. The
    peak is that of a process that parses the answer once and keeps its bytes."""
    rows = []
    for count, indented, rounds in ((1000, False, 5), (1000, True, 5), (10_000, False, 2)):
        path = bench.directory / "answer.xml"
        path.write_bytes(aws_answers.describe_instances(count, indented))
        once = json.loads(bench.call(bench.aws_parse_bench, path, 1).output)
        ours = json.loads(bench.call(bench.aws_parse_bench, path, rounds).output)
        peer = aws_answers.botocore(path, rounds)
        if not once["machines"] == ours["machines"] == peer["machines"] == count:
            raise RuntimeError(f"not every machine was read: {ours}, {peer}")
        a, b = median(ours["seconds"]) * 1e3, median(peer["seconds"]) * 1e3
        form = f"{count:,} machines{', indented' if indented else ''}, {path.stat().st_size / 1e6:.1f} MB"
        rows.append(Row(f"parse {form}, and botocore", f"{a:.1f} ms", f"{b:.0f} ms", a / b, f"1:30: 1:{b / a:.0f}", b / a >= 30))
        if count == 10_000:
            a, b = once["peak_kb"] / 1024, peer["peak_kb"] / 1024
            rows.append(Row("its peak of memory, and botocore's", f"{a:.0f} MB", f"{b:.0f} MB", a / b, "150 MB", a <= 150))
    return rows


MEASURES = {"per_query": per_query, "transfer": transfer, "start_up": start_up, "ingest": ingest, "votable": votable,
            "aws_parse": aws_parse, "aws_call": aws_call, "distant_regions": distant_regions,
            "cloud_requests": cloud_requests, "fleet_run": fleet.run, "fleet_change": fleet.change,
            "fleet_check_large": fleet.check_large}
