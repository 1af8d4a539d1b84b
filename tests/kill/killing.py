"""Probe and collector are killed again and again, at moments that a seed draws; nothing may be lost or come twice.

Six lanes each have a vantage, a spool and a proxy in front of the one collector. A lane gives its probe one order after
another; each life of a probe has a plan: to be killed (or see the collector killed) at a moment of a query, at a moment
of a POST, after some time, or not at all. After a kill the same order is started again; where the probe ends with
results in its spool, the next order's probe may have to bring them."""
import collections
import dataclasses
import random
import signal
import threading
import time

import comparing
import cone_service
import post_proxy
import processes

LANES = 6
CONES = 24
SLOW_LANE = 0  # its runs outlast the submitter's linger, so that POSTs and queries interleave
SLOW_CONES = 60
LIFE_S = 60
DEADLINE_S = 400  # for the whole; some 60 s on two free cores
ENDED = (0, 3)  # all asked and delivered; some queries failed, as they should here
RESULTS_WAIT = 4


@dataclasses.dataclass
class Plan:
    kind: str  # "query", "post", "time", "none"
    moment: str = ""
    victim: str = "probe"
    countdown: int = 0  # how many queries or POSTs come first
    delay_s: float = 0.0


def draw_plan(rng):
    kind = rng.choices(("post", "query", "time", "none"), (60, 20, 12, 8))[0]
    if kind == "post":
        return Plan(kind, rng.choice(post_proxy.MOMENTS), rng.choice(("probe", "probe", "collector")),
                    rng.choice((0, 0, 0, 1)), rng.choice((0.0, rng.uniform(0, 0.02))))
    if kind == "query":
        return Plan(kind, rng.choice(("asked", "half", "whole")), countdown=rng.randrange(CONES))
    return Plan(kind, delay_s=rng.uniform(0.01, 0.6))


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.hits = collections.Counter()  # (kind, moment, victim)

    def add(self, plan):
        with self.lock:
            self.hits[plan.kind, plan.moment, plan.victim] += 1

    def total(self):
        with self.lock:
            return sum(self.hits.values())

    def between(self):
        """Kills after a POST has left the probe and before its answer was there."""
        with self.lock:
            return sum(n for (kind, _, _), n in self.hits.items() if kind == "post")


class Lane:
    def __init__(self, number, seed, tools, collector, service, tally):
        self.name = f"lane{number}"
        self.rng = random.Random(f"{seed}-{number}")
        self.slow = number == SLOW_LANE
        self.tools, self.collector, self.service, self.tally = tools, collector, service, tally
        self.spool = tools.directory / f"spool-{self.name}"
        self.lock = threading.Lock()
        self.plan = None
        self.process = None
        self.runs = []
        self.lives = 0
        self.proxy = post_proxy.PostProxy(collector.port, self.watch_post)

    # -- moments; called by the service's and the proxy's threads

    def take_plan(self, kind, moment):
        with self.lock:
            plan = self.plan
            if plan is None or (plan.kind, plan.moment) != (kind, moment):
                return None
            if plan.countdown > 0:
                plan.countdown -= 1
                return None
            self.plan = None
            return plan

    def watch_query(self, moment):
        if plan := self.take_plan("query", moment):
            self.strike(plan)

    def watch_post(self, moment):
        plan = self.take_plan("post", moment)
        return plan is None or not self.strike(plan)

    def strike(self, plan):
        if plan.delay_s and plan.kind == "post":
            time.sleep(plan.delay_s)
        if plan.victim == "collector":
            hit = self.collector.kill_and_restart()
        else:
            hit = self.process.signal(signal.SIGKILL)
            # The connection stays open until the probe is gone: a cut could reach it before the signal does.
            while hit and self.process.popen.poll() is None:
                time.sleep(0.001)
            hit = hit and self.process.popen.returncode == -signal.SIGKILL
        if hit:
            self.tally.add(plan)
        return True

    # -- the life of probes

    def new_run(self):
        run = processes.Run(self.tools, self.rng, self.name, self.service.url(self.name), self.proxy.url,
                            SLOW_CONES if self.slow else CONES, queries_per_second=25 if self.slow else 500)
        self.runs.append(run)
        return run

    def live(self, run, plan, flush_wait):
        self.lives += 1
        process = self.tools.start(*run.probe_words(self.spool, flush_wait), log=f"{self.name}.log")
        with self.lock:
            self.process, self.plan = process, plan
        timer = threading.Timer(plan.delay_s, self.strike, (plan,)) if plan.kind == "time" else None
        if timer:
            timer.start()
        while process.popen.poll() is None and time.monotonic() < self.until:
            time.sleep(0.002)
        if timer:
            timer.cancel()
            timer.join()
        with self.lock:
            self.plan = None
        if process.popen.poll() is None:
            process.signal(signal.SIGKILL)
            raise RuntimeError(f"{self.name}: a probe does not end")
        status = process.wait()
        if status not in (*ENDED, RESULTS_WAIT, -signal.SIGKILL):
            raise RuntimeError(f"{self.name}: a probe ended with {status}: {process.stderr.read_text()[-2000:]}")
        return status

    def work(self, is_enough, until):
        self.until = until
        while not is_enough() and time.monotonic() < until:
            run = self.new_run()
            while not is_enough():
                status = self.live(run, draw_plan(self.rng), "3s")
                if status in ENDED or (status == RESULTS_WAIT and self.rng.random() < 0.5):
                    break

    def finish(self):
        """Nobody is killed any more: the order that was under way ends, and what earlier ones left is delivered."""
        self.until = time.monotonic() + LIFE_S
        status = self.live(self.runs[-1], Plan("none"), "30s")
        if status not in ENDED:
            raise RuntimeError(f"{self.name}: the last probe ended with {status}")


def in_threads(calls):
    errors = []

    def guarded(call):
        try:
            call()
        except Exception as error:  # reported by the main thread
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def killed_at_random(tools, seed, kills, say):
    tally = Tally()
    lanes = {}
    service = cone_service.ConeService(lambda lane, moment: lanes[lane].watch_query(moment))
    collector = processes.Collector(tools)
    rng = random.Random(f"{seed}-collector")
    stop = threading.Event()
    between_min = -(-kills // 3)

    def is_enough():
        return stop.is_set() or (tally.total() >= kills and tally.between() >= between_min)

    def kill_collector_at_times():
        while not stop.wait(rng.uniform(1.0, 4.0)):
            if collector.kill_and_restart():
                tally.add(Plan("time", victim="collector"))

    try:
        collector.start_and_wait()
        for i in range(LANES):
            lanes[f"lane{i}"] = Lane(i, seed, tools, collector, service, tally)
        killer = threading.Thread(target=kill_collector_at_times)
        killer.start()
        try:
            until = time.monotonic() + DEADLINE_S
            in_threads([lambda lane=lane: lane.work(is_enough, until) for lane in lanes.values()])
        finally:
            stop.set()
            killer.join()
        in_threads([lane.finish for lane in lanes.values()])
        status = collector.stop()
        complaints = [f"the collector ended with {status}"] if status else []
        report(say, tally, lanes, service, collector)
        runs = [run for lane in lanes.values() for run in lane.runs]
        complaints += comparing.complaints_about(service, collector, runs)
        complaints += complaints_about_the_test(tally, kills, between_min, collector)
        for lane in lanes.values():
            complaints += [f"left in the spool: {path.name}" for path in lane.spool.glob("*.journal")]
            complaints += [f"refused by the collector: {path.name}" for path in lane.spool.glob("rejected/*")]
        if collector.integrity() != "ok":
            complaints.append(f"the database is damaged: {collector.integrity()}")
        return complaints
    finally:
        collector.end()
        for lane in lanes.values():
            if lane.process and lane.process.fd >= 0:
                lane.process.signal(signal.SIGKILL)
                lane.process.wait(30)


def complaints_about_the_test(tally, kills, between_min, collector):
    """A test that does not do what it says proves nothing."""
    complaints = []
    if tally.total() < kills or tally.between() < between_min:
        complaints.append(f"only {tally.total()} kills of {kills}, {tally.between()} of them between send and answer")
    if collector.counters().get("ingest.duplicate", 0) == 0:
        complaints.append("no record was ever sent twice: no kill came between a commit and its answer")
    if not any(comparing.was_killed(row) for row in collector.rows()):
        complaints.append("no probe was killed during a query")
    return complaints


def report(say, tally, lanes, service, collector):
    by_victim, by_moment = collections.Counter(), collections.Counter()
    for (kind, moment, victim), n in tally.hits.items():
        by_victim[victim] += n
        by_moment[f"{kind} {moment}".strip()] += n
    rows = collector.rows()
    say(f"{tally.total()} kills: {by_victim['probe']} of a probe, {by_victim['collector']} of the collector; "
        f"{tally.between()} between a send and its confirmation")
    say("at: " + ", ".join(f"{moment} {n}" for moment, n in sorted(by_moment.items())))
    say(f"{sum(lane.lives for lane in lanes.values())} lives of probes, "
        f"{sum(len(lane.runs) for lane in lanes.values())} orders, "
        f"{sum(lane.proxy.posts for lane in lanes.values())} POSTs")
    say(f"{len(service.queries)} queries asked, {sum(q.whole for q in service.queries)} answered to the end; "
        f"{len(rows)} rows, {sum(comparing.was_killed(row) for row in rows)} of them 'probe-killed'; "
        f"{collector.counters().get('ingest.duplicate', 0)} records came again and were known, "
        f"{collector.count_conflicts()} conflicts")
