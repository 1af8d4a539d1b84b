#!/usr/bin/python3
"""How to test one's own boto3 program with the simulated cloud: the example of docs/user/simulated-aws.md, which this
tree's tests run.

    tests/sim_cloud/example_test.py PATH/parallax        (or PARALLAX=PATH/parallax, with pytest or unittest)

The program under test is start_fleet() below. In your own tests it would be an import.
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest

import boto3
from botocore.config import Config

PROGRAM = os.environ.get("PARALLAX", "parallax")


# ---- The program under test ----------------------------------------------------------------------------------------

def start_fleet(session, regions, name, retries=4):
    """Starts the stopped machines of that name; the ids that run afterwards, by region."""
    started = {}
    for region in regions:
        ec2 = session.client("ec2", region_name=region, endpoint_url=os.environ.get("ENDPOINT_URL"),
                             config=Config(retries={"mode": "standard", "max_attempts": retries}))
        answer = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": [name]}])
        ids = [instance["InstanceId"] for reservation in answer["Reservations"] for instance in reservation["Instances"]]
        ec2.start_instances(InstanceIds=ids)
        ec2.get_waiter("instance_running").wait(InstanceIds=ids, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        started[region] = ids
    return started


# ---- Its tests -----------------------------------------------------------------------------------------------------

class SimulatedAws:
    """A cloud of its own for each test: nothing is left over from the one before."""

    def __init__(self, *options, faults=""):
        self.script = tempfile.NamedTemporaryFile("w", suffix=".toml")
        self.script.write(faults)
        self.script.flush()
        # Port 0: a free one. 30 times quicker: a start takes a third of a second, not ten.
        self.process = subprocess.Popen(
            [PROGRAM, "sim", "aws", "--listen", "127.0.0.1:0", "--time-scale", "30", "--faults", self.script.name, *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        exports = {}
        for line in self.process.stdout:
            if match := re.match(r"export (\w+)=(.*)", line):
                exports[match[1]] = match[2]
            if "AWS_ENDPOINT_URL" in exports:
                break
        else:
            raise RuntimeError(self.process.stderr.read())
        os.environ["ENDPOINT_URL"] = exports["AWS_ENDPOINT_URL"]
        self.session = boto3.Session(aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
                                     aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.log = self.process.communicate(timeout=30)[1]
        self.script.close()


class StartFleetTest(unittest.TestCase):
    def test_starts_the_machine_of_each_region(self):
        with SimulatedAws() as aws:
            started = start_fleet(aws.session, ["us-west-2", "eu-west-3"], "NAVO")
        self.assertEqual([len(ids) for ids in started.values()], [1, 1])

    def test_survives_throttling_and_a_lost_answer(self):
        with SimulatedAws(faults="""
            [[fault]]
            kind = "throttle"
            operation = "DescribeInstances"
            nth = 1
            count = 2

            [[fault]]                     # the start takes effect, but its answer never arrives
            kind = "answer_lost"
            operation = "StartInstances"
            nth = 1
            """) as aws:
            self.assertEqual(len(start_fleet(aws.session, ["us-west-2"], "NAVO")["us-west-2"]), 1)

    def test_reports_a_region_without_room(self):
        with SimulatedAws(faults="""
            [[fault]]
            kind = "capacity"
            region = "eu-west-3"
            """) as aws:
            with self.assertRaisesRegex(Exception, "InsufficientInstanceCapacity"):
                start_fleet(aws.session, ["us-west-2", "eu-west-3"], "NAVO", retries=1)

    def test_a_call_that_is_not_simulated_is_named(self):
        with SimulatedAws() as aws:
            ec2 = aws.session.client("ec2", region_name="us-west-2", endpoint_url=os.environ["ENDPOINT_URL"])
            with self.assertRaisesRegex(Exception, "InvalidAction"):
                ec2.describe_spot_price_history()
        self.assertIn("ec2:DescribeSpotPriceHistory is not simulated", aws.log)

    def test_regions_that_are_not_enabled_refuse_the_credentials(self):
        with SimulatedAws("--enabled", "af-south-1", "--region", "us-west-2") as aws:
            for region, allowed in (("af-south-1", True), ("me-south-1", False)):
                ec2 = aws.session.client("ec2", region_name=region, endpoint_url=os.environ["ENDPOINT_URL"])
                if allowed:
                    self.assertEqual(ec2.describe_instances()["Reservations"], [])
                else:
                    with self.assertRaisesRegex(Exception, "AuthFailure"):
                        ec2.describe_instances()


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        PROGRAM = sys.argv.pop(1)
    unittest.main()
