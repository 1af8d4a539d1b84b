"""A fleet's set-up, check, run and clear: ours, all regions at once, and as AWS_servicemon does it (reference_fleet.py).
Both against the same simulated cloud over HTTP, as from Oregon, one after the other, in time that is divided by a scale
for cloud and client alike. Seconds in the rows are those of the world: what was measured, times the scale."""
import base64
import collections
import csv
import hashlib
import json
import sys
import time

import cloud
from row import Row

HOME = "us-west-2"
NAME = "NAVO"
PROFILE = "bench"  # one that exists: the reference makes none
SIX = ["us-west-2", "us-east-1", "sa-east-1", "eu-west-3", "ap-northeast-1", "ap-southeast-2"]
JOB_S = 10.0
TIMINGS = {"pending": 12.0, "agent": 8.0, "stopping": 12.0, "delivery": 0.5, "invocation": 0.3, "image_copy": 120.0,
           "interface_lingers": 10.0}
# What one region waits for whoever asks, its round trips left out.
UNAVOIDABLE = {"setup": TIMINGS["image_copy"] + TIMINGS["pending"] + TIMINGS["stopping"],
               "run": TIMINGS["pending"] + TIMINGS["agent"] + TIMINGS["delivery"] + JOB_S + TIMINGS["stopping"],
               "clear": TIMINGS["stopping"] + TIMINGS["interface_lingers"]}
# Ours has all regions at work at once, so a high scale would measure this machine's processors.
OUR_SCALE, REFERENCE_SCALE = {6: 10, 34: 4}, {6: 20, 34: 30}


def all_regions():
    with open(cloud.ROOT / "data" / "aws-regions.csv", encoding="utf-8") as file:
        return [row["region"] for row in csv.DictReader(file) if row["partition"] == "aws"]


class Spend:
    """What a part of the simulator's log says."""

    def __init__(self, lines, wall_s, scale):
        self.wall_s = wall_s * scale
        self.calls = collections.Counter(line["operation"] for line in lines if line["what"] == "call")
        began, self.paid = {}, []
        for line in lines:
            if line["what"] != "machine":
                continue
            at = instant(line["at"])
            if line["state"] == "running":
                began[line["id"]] = at
            elif line["state"] in ("stopping", "shutting-down") and line["id"] in began:
                self.paid.append((at - began.pop(line["id"])) * scale)
        self.left_running = len(began)

    @property
    def count(self):
        return sum(self.calls.values())


def instant(text):
    whole, fraction = text.rstrip("Z").split(".")
    return time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + fraction)


def public_key():
    """An OpenSSH line; nobody has the private key."""
    parts = (b"ssh-ed25519", hashlib.sha256(b"parallax bench").digest())
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}\n"


class FleetCloud:
    """A simulated cloud with its log, and both programs."""

    def __init__(self, bench, regions, scale, *options):
        self.bench, self.regions, self.scale = bench, regions, scale
        self.directory = bench.directory / f"fleet-{time.monotonic_ns()}"
        self.directory.mkdir()
        timings = self.directory / "timings.toml"
        timings.write_text("[timings]\n" + "".join(f'{name} = "{int(s * 1000)}ms"\n' for name, s in TIMINGS.items()),
                           encoding="utf-8")
        self.log = self.directory / "calls.ndjson"
        self.far = cloud.Cloud(bench.program, "--time-scale", str(scale), "--scale-all", "--timings", timings,
                               "--latency-from", HOME, "--jobs-take", f"{JOB_S:.0f}s", "--log", self.log, *options)
        key = self.directory / "key.pub"
        key.write_text(public_key(), encoding="utf-8")
        self.far.environment.update(REFERENCE_PUBLIC_KEY=str(key), REFERENCE_PROFILE=PROFILE)
        self.config = self.directory / "parallax.toml"
        self.config.write_text(
            f'[fleet]\nname = "{NAME}"\nhome = "{HOME}"\nregions = {json.dumps(regions)}\n'
            f'image = {{ copy = "{NAME}" }}\npublic_key = "key.pub"\ninstance_profile = "{PROFILE}"\n'
            '[job]\ntimeout = "5m"\ncommand = "true"\n', encoding="utf-8")

    def spend(self, *words, statuses=(0,)):
        offset = self.log.stat().st_size
        wall, output, peak_mb = self.far.measure(words, 1800, statuses)
        with open(self.log, "rb") as file:
            file.seek(offset)
            lines = [json.loads(line) for line in file.read().splitlines()]
        spend = Spend(lines, wall, self.scale)
        spend.output, spend.peak_mb = output, peak_mb
        return spend

    def ours(self, *words):
        return self.spend(self.bench.scaled_parallax, self.scale, "fleet", *words, "--config", self.config)

    def reference(self, what):
        spend = self.spend("/usr/bin/python3", cloud.ROOT / "bench" / "reference_fleet.py", self.scale, what,
                           *self.regions)
        told = json.loads(spend.output)
        if told["calls"] != spend.count:
            raise RuntimeError(f"the reference made {told['calls']} calls, the cloud was asked {spend.count}")
        spend.wall_s = told["seconds"] * self.scale  # without Python's own start
        return spend

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.far.__exit__(*unused)


def row(name, ours, peer, unit, aim="", is_met=None):
    digits = 1 if unit else 0
    return Row(name, f"{ours:.{digits}f}{unit}", f"{peer:.{digits}f}{unit}", ours / peer, aim, is_met)


def compare(name, what, ours, peer):
    """Rows of one phase: wall, calls."""
    rows = []
    if least := UNAVOIDABLE.get(what):
        aim = f"within 1.15 of {least:.1f} s: {ours.wall_s / least:.2f}"
        rows.append(row(f"{name}: wall", ours.wall_s, peer.wall_s, " s", aim, ours.wall_s <= 1.15 * least))
    else:
        rows.append(row(f"{name}: wall", ours.wall_s, peer.wall_s, " s"))
    rows.append(row(f"{name}: API calls", ours.count, peer.count, "", "no more than the peer's",
                    ours.count <= peer.count))
    return rows


def tell(what, regions, side, spend):
    calls = ", ".join(f"{n} {name}" for name, n in sorted(spend.calls.items()))
    print(f"{what}, {len(regions)} regions, {side}: {spend.wall_s:.1f} s; {calls}", file=sys.stderr, flush=True)


def run(bench):
    """One run of a job of 10 s on a machine in each region; machines are there and stopped."""
    rows = []
    for regions in (SIX, all_regions()):
        spends = []
        for scales, side in ((OUR_SCALE, "ours"), (REFERENCE_SCALE, "reference")):
            with FleetCloud(bench, regions, scales[len(regions)], "--region", ",".join(regions)) as far:
                if side == "ours":
                    spends.append(far.ours("run", "--state", far.directory / "state"))
                else:
                    spends.append(far.reference("run"))
            tell("run", regions, side, spends[-1])
            if len(spends[-1].paid) != len(regions) or spends[-1].left_running:
                raise RuntimeError(f"{len(spends[-1].paid)} of {len(regions)} machines ran and were stopped")
        ours, peer = spends
        rows += compare(f"run in {len(regions)} regions", "run", ours, peer)
        for name, pick, aim in (("mean", lambda list_: sum(list_) / len(list_), ("",)), ("most", max, ("below 5 s",))):
            a, b = (pick(s.paid) - JOB_S - TIMINGS["agent"] for s in (ours, peer))
            rows.append(row(f"  paid beyond job and agent's start, {name}", a, b, " s", *aim,
                            *([a < 5] if name == "most" else [])))
    return rows


def prepare_home(far, scale):
    """Leaves home's image with its snapshots of the world `reference`; makes the profile."""
    ec2 = cloud.boto3_client(far, "ec2", HOME)
    ids = [i["InstanceId"] for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    ec2.delete_tags(Resources=ids, Tags=[{"Key": "Name"}])  # the reference would take the terminated one for its own
    ec2.terminate_instances(InstanceIds=ids)
    while any(i["State"]["Name"] != "terminated" for r in ec2.describe_instances(InstanceIds=ids)["Reservations"]
              for i in r["Instances"]):
        time.sleep(0.1)
    while ec2.describe_network_interfaces()["NetworkInterfaces"]:
        time.sleep(0.1)
    iam = cloud.boto3_client(far, "iam", HOME)
    role = iam.list_instance_profiles()["InstanceProfiles"][0]["Roles"][0]["RoleName"]
    iam.create_instance_profile(InstanceProfileName=PROFILE)
    iam.add_role_to_instance_profile(InstanceProfileName=PROFILE, RoleName=role)
    time.sleep(60 / scale)  # until EC2 knows it, whatever it draws
    for pair in ec2.describe_key_pairs()["KeyPairs"]:
        ec2.delete_key_pair(KeyPairId=pair["KeyPairId"])
    for group in ec2.describe_security_groups()["SecurityGroups"]:
        if group["GroupName"] != "default":
            ec2.delete_security_group(GroupId=group["GroupId"])


def change(bench):
    """Set-up from nothing (home has the image, the profile exists), check, set-up again, clear of all but home, which the
    reference refuses to clear."""
    rows = []
    for regions in (SIX, all_regions()):
        world = ("--world", "reference", "--region", HOME, "--enabled", ",".join(cloud.opt_in_regions()))
        spends = {}
        with FleetCloud(bench, regions, OUR_SCALE[len(regions)], *world) as far:
            prepare_home(far.far, far.scale)
            for what, words in (("setup", ("apply", "--yes")), ("check", ("check",)), ("again", ("apply", "--yes")),
                                ("clear", ("clear", *(word for region in regions if region != HOME
                                                      for word in ("--region", region)), "--yes", "--no-drain"))):
                spends[what] = [far.ours(*words)]
                tell(what, regions, "ours", spends[what][0])
        with FleetCloud(bench, regions, REFERENCE_SCALE[len(regions)], *world) as far:
            prepare_home(far.far, far.scale)
            for what, act in (("setup", "setup"), ("check", "check"), ("again", "setup"), ("clear", "clear")):
                spends[what].append(far.reference(act))
                tell(what, regions, "reference", spends[what][1])
        for what, name in (("setup", "set-up"), ("check", "check"), ("again", "second set-up"), ("clear", "clear")):
            ours, peer = spends[what]
            rows += compare(f"{name} of {len(regions)} regions", what, ours, peer)
    return rows


def check_large(bench, instances=1000):
    """fleet check over 34 regions with many machines each; no peer. True time, as from Oregon."""
    regions = all_regions()
    with FleetCloud(bench, regions, 1, "--all-regions", "--instances", str(instances)) as far:
        spend = far.spend(bench.program, "fleet", "check", "--config", far.config, "--output", "json", statuses=(0, 1, 3))
    tell(f"check of {instances} machines each", regions, "ours", spend)
    name = f"fleet check of {len(regions)} regions x {instances} machines"
    return [Row(f"{name}: wall", f"{spend.wall_s:.1f} s", "none", 1.0),
            Row(f"{name}: peak", f"{spend.peak_mb:.0f} MB", "none", 1.0),
            Row(f"{name}: API calls", f"{spend.count}", "none", 1.0)]
