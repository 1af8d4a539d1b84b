"""The collector is away, answers nonsense or is cut off; the disk of a vantage is full."""
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import time

import comparing
import cone_service
import post_proxy
import processes
import wire

DISK = "450k"  # of the small disk: room for the ballast and some of the answers, not for all


class Skip(Exception):
    """Why this cannot be tried here."""


def service_for_all():
    return cone_service.ConeService(lambda lane, moment: None)


def run_probe(tools, run, spool, flush_wait):
    process = tools.start(*run.probe_words(spool, flush_wait), log=f"{run.run_id}.log")
    return process.wait(120), process.stderr.read_text()


def check(complaints, is_good, complaint):
    if not is_good:
        complaints.append(complaint)


def collector_away_for_a_run(tools, args, say):
    """A whole run finds no collector; the next one, with a token of its own, brings both runs' results."""
    rng = random.Random(f"{args.seed}-away")
    service, collector = service_for_all(), processes.Collector(tools)
    spool = tools.directory / "spool"
    complaints = []
    collector.start_and_wait()  # takes a port, which stays ours for the restart
    collector.stop()
    try:
        runs = [processes.Run(tools, rng, "away", service.url("away"), f"http://127.0.0.1:{collector.port}", 20)
                for _ in range(2)]
        status, text = run_probe(tools, runs[0], spool, "500ms")
        check(complaints, status == 4, f"without a collector the probe ended with {status}, not 4: {text}")
        check(complaints, "20 results wait in the spool" in text, f"the probe does not say what waits: {text}")
        listed = tools.call("spool", "list", "--spool", spool).stdout
        check(complaints, f"{runs[0].run_id}  20 records, 20 wait, 0 rejected" in listed, f"spool list: {listed}")
        check(complaints, not collector.rows(), "rows without a collector")
        collector.start()
        status, text = run_probe(tools, runs[1], spool, "30s")
        check(complaints, status in (0, 3), f"with the collector back the probe ended with {status}: {text}")
        say(f"{len(collector.rows())} rows of two runs; the first one's came with the second one's token")
        complaints += comparing.complaints_about(service, collector, runs)
        complaints += [f"left in the spool: {path.name}" for path in spool.glob("*.journal")]
    finally:
        collector.end()
    return complaints


# -- what a collector, or a proxy in front of it, may do to one POST

def unavailable(proxy, connection, head, body):
    connection.sendall(b"".join(wire.answer(503, b"later", "text/plain")))


def failing(proxy, connection, head, body):
    connection.sendall(b"".join(wire.answer(500, b"<html>a proxy's page</html>", "text/html")))


def cut_before_answer(proxy, connection, head, body):
    proxy.ask_collector(head, body)


def cut_in_answer(proxy, connection, head, body):
    answer = proxy.ask_collector(head, body)
    connection.sendall(answer[: len(answer) * 2 // 3])


def slow(proxy, connection, head, body):
    answer = proxy.ask_collector(head, body)
    for i in range(10):
        connection.sendall(answer[len(answer) * i // 10: len(answer) * (i + 1) // 10])
        time.sleep(0.1)


def nonsense(proxy, connection, head, body):
    connection.sendall(b"".join(wire.answer(200, b'{"records": "all of them"', "application/json")))


def empty_promise(proxy, connection, head, body):
    """200 without a word about any record: nothing was confirmed."""
    connection.sendall(b"".join(wire.answer(200, b'{"records": []}', "application/json")))


def answers_half(proxy, connection, head, body):
    """Speaks of the first half of the records alone."""
    _, _, text = proxy.ask_collector(head, body).partition(b"\r\n\r\n")
    parsed = json.loads(text)
    parsed["records"] = parsed["records"][: len(parsed["records"]) // 2]
    connection.sendall(b"".join(wire.answer(200, json.dumps(parsed).encode(), "application/json")))


def too_large(proxy, connection, head, body):
    connection.sendall(b"".join(wire.answer(413, b"too much at once", "text/plain")))


def collector_misbehaves(tools, args, say):
    rng = random.Random(f"{args.seed}-misbehaves")
    service, collector = service_for_all(), processes.Collector(tools)
    scripts = [(unavailable, cut_in_answer, slow), (failing, nonsense, cut_before_answer),
               (empty_promise, answers_half), (too_large, cut_in_answer)]
    runs, complaints = [], []
    try:
        collector.start_and_wait()
        for script in scripts:
            proxy = post_proxy.PostProxy(collector.port, script=script)
            run = processes.Run(tools, rng, "misled", service.url("misled"), proxy.url, 20)
            runs.append(run)
            status, text = run_probe(tools, run, tools.directory / "spool", "30s")
            names = ", ".join(fault.__name__ for fault in script)
            check(complaints, status in (0, 3), f"{names}: the probe ended with {status}: {text}")
            check(complaints, not proxy.script, f"{names}: not all of it was tried")
            say(f"{names}: delivered after {proxy.posts} POSTs")
        complaints += comparing.complaints_about(service, collector, runs)
    finally:
        collector.end()
    return complaints


def comparison_notices(tools, args, say):
    """A test of the test: a row that is lost, foreign or not true does not pass."""
    rng = random.Random(f"{args.seed}-notices")
    service, collector = service_for_all(), processes.Collector(tools)
    try:
        collector.start_and_wait()
        run = processes.Run(tools, rng, "seen", service.url("seen"), f"http://127.0.0.1:{collector.port}", 10)
        run_probe(tools, run, tools.directory / "spool", "30s")
    finally:
        collector.end()
    complaints = comparing.complaints_about(service, collector, [run])
    damages = {"a lost row": "DELETE FROM measurements WHERE sequence = 3",
               "other bytes": "UPDATE measurements SET json = json_set(json, '$.bytes_wire', 1) WHERE sequence = 4",
               "a row of nobody": "UPDATE measurements SET json = json_set(json, '$.run_id', 'x') WHERE sequence = 5",
               "another place": "UPDATE measurements SET json = json_set(json, '$.ra', 0.5) WHERE sequence = 6"}
    for name, statement in damages.items():
        before = collector.rows()
        with sqlite3.connect(collector.database) as connection:
            connection.execute("CREATE TABLE whole AS SELECT * FROM measurements")
            connection.execute(statement)
        check(complaints, before != collector.rows(), f"{name}: nothing was damaged")
        found = comparing.complaints_about(service, collector, [run])
        with sqlite3.connect(collector.database) as connection:
            connection.execute("DELETE FROM measurements")
            connection.execute("INSERT INTO measurements SELECT * FROM whole")
            connection.execute("DROP TABLE whole")
        check(complaints, found, f"{name} is not noticed")
        say(f"{name}: {found[0] if found else 'not noticed'}")
    return complaints


DISK_FULL_SCRIPT = """
mount -t tmpfs -o size=$DISK,mode=0700 parallax-kill "$SMALL" || exit 77
mkdir "$SMALL/spool"
"$@" --flush-wait "$FIRST_WAIT"; echo "status $?"
mount -o remount,size=64m "$SMALL"
"$@" --flush-wait 30s; echo "status $?"
ls "$SMALL/spool"
"""


def disk_full(tools, args, say):
    """The probe says so, ends with an error and asks nothing more; with room again the same order goes on."""
    if os.geteuid() != 0:
        raise Skip("a small disk needs root for its mount")
    rng = random.Random(f"{args.seed}-disk")
    service, collector = service_for_all(), processes.Collector(tools)
    small = pathlib.Path(tools.directory) / "small"
    small.mkdir()
    runs, complaints = [], []
    try:
        collector.start_and_wait()
        # Delivered from memory at once; or not before there is room again, when only the disk knows.
        for name, first_wait in (("delivered at once", "30s"), ("delivered later", "1ms")):
            run = processes.Run(tools, rng, "small", service.url("small"), f"http://127.0.0.1:{collector.port}", 150)
            runs.append(run)
            words = [tools.program, "probe", "--order", run.file, "--spool", small / "spool", "--output", "none"]
            result = subprocess.run(
                ["unshare", "-m", "sh", "-c", DISK_FULL_SCRIPT, "sh", *(str(word) for word in words)], text=True,
                capture_output=True, check=False, timeout=120,
                env={**os.environ, "DISK": DISK, "SMALL": str(small), "FIRST_WAIT": first_wait})
            if result.returncode == 77 or "unshare:" in result.stderr:
                raise Skip(f"no mount of its own: {result.stderr.strip()[-200:]}")
            complaints += [f"{name}: {complaint}" for complaint in complaints_about_disk_full(result)]
        rows = collector.rows()
        say(f"{len(rows)} rows; {sum(comparing.was_killed(row) for row in rows)} of answers that had no room")
        complaints += comparing.complaints_about(service, collector, runs)
    finally:
        collector.end()
    return complaints


def complaints_about_disk_full(result):
    complaints = []
    statuses = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("status ")]
    check(complaints, statuses in (["1", "3"], ["1", "0"]), f"the probes ended with {statuses}: {result.stderr}")
    check(complaints, "No space left on device" in result.stderr, f"the probe does not say why: {result.stderr}")
    left = result.stdout.rsplit("status", 1)[-1].split()[1:]
    check(complaints, not [name for name in left if name.endswith(".journal")], f"left in the spool: {left}")
    return complaints
