"""The simulated cloud as the bench's far end, and clients that call it."""
import csv
import math
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time

import boto3
import botocore.exceptions

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


def boto3_client(far, service, region="us-west-2"):
    return boto3.client(service, region_name=region, endpoint_url=far.url, aws_access_key_id=KEY,
                        aws_secret_access_key=SECRET)


def send_command(far):
    """Starts the first machine of Oregon and sends it a command; the ids of machine, command and image."""
    ec2, ssm = boto3_client(far, "ec2"), boto3_client(far, "ssm")
    instance = ec2.describe_instances()["Reservations"][0]["Instances"][0]
    machine = instance["InstanceId"]
    ec2.start_instances(InstanceIds=[machine])
    for _ in range(600):
        time.sleep(0.05)
        try:
            command = ssm.send_command(InstanceIds=[machine], DocumentName="AWS-RunShellScript",
                                       Parameters={"commands": ["true"]})["Command"]["CommandId"]
            ssm.get_command_invocation(CommandId=command, InstanceId=machine)
            return machine, command, instance["ImageId"]
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in ("InvalidInstanceId", "InvocationDoesNotExist"):
                raise
    raise RuntimeError(f"{machine} took no command")


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
        wall, output, _ = self.measure(words)
        return wall, output

    def measure(self, words, timeout_s=120, statuses=(0,)):
        """The same, and the peak of its memory in MB."""
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            start = time.perf_counter()
            process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=errors, env=self.environment)
            timer = threading.Timer(timeout_s, process.kill)
            timer.start()
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            timer.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            errors.seek(0)
            if process.returncode not in statuses:
                raise RuntimeError(f"{' '.join(map(str, words))} ended with {process.returncode}: "
                                   f"{errors.read()[-2000:].decode()}")
            return wall, output.read().decode(), usage.ru_maxrss / 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.log.unlink()
