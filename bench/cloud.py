"""The simulated cloud as the bench's far end, and clients that call it."""
import csv
import math
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
KEY, SECRET = "AKIAPARALLAXSIM00001", "parallax-simulated-secret"


def round_trips(home):
    """Milliseconds to each region of the partition `aws` and back: the great circle at two thirds of light's speed, half as
    long again for the way cables take, and 2 ms."""
    with open(ROOT / "data" / "aws-regions.csv", encoding="utf-8") as file:
        places = {row["region"]: (math.radians(float(row["latitude"])), math.radians(float(row["longitude"])))
                  for row in csv.DictReader(file) if row["partition"] == "aws"}
    latitude, longitude = places[home]

    def kilometres(place):
        return 6371 * math.acos(min(1.0, math.sin(latitude) * math.sin(place[0]) +
                                    math.cos(latitude) * math.cos(place[0]) * math.cos(longitude - place[1])))
    return {region: round(2 + 2 * 1.5 * kilometres(place) / 200) for region, place in places.items()}


def opt_in_regions():
    with open(ROOT / "data" / "aws-regions.csv", encoding="utf-8") as file:
        return [row["region"] for row in csv.DictReader(file) if row["partition"] == "aws" and row["opt_in_required"] == "yes"]


class Cloud:
    """`parallax sim aws` on a port of its own; `environment` is for whoever calls it."""

    def __init__(self, program, *options):
        self.log = pathlib.Path(tempfile.mkstemp(prefix="parallax-bench-cloud-")[1])
        with open(self.log, "wb") as errors:
            self.process = subprocess.Popen([program, "sim", "aws", "--listen", "127.0.0.1:0", *options],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
        for _ in range(1000):
            if found := re.search(r"http://127\.0\.0\.1:\d+", self.log.read_text()):
                self.url = found[0]
                break
            time.sleep(0.01)
        else:
            raise RuntimeError(f"the simulated cloud does not start: {self.log.read_text()}")
        none = "/nonexistent"
        self.environment = {"PATH": os.environ["PATH"], "HOME": none, "AWS_CONFIG_FILE": none,
                            "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true",
                            "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-west-2",
                            "AWS_DEFAULT_REGION": "us-west-2", "AWS_ENDPOINT_URL": self.url}

    def call(self, *words):
        """Wall seconds of a process, and what it said."""
        start = time.perf_counter()
        result = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=120, check=False, env=self.environment)
        wall = time.perf_counter() - start
        if result.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, words))} ended with {result.returncode}: {result.stderr[-1000:]}")
        return wall, result.stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.log.unlink()
