#!/usr/bin/python3
"""Debian's boto3 against the simulated cloud.

    boto3_test.py PATH_OF_sim_aws_for_test
"""
import datetime
import http.client
import os
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
from botocore.config import Config
from botocore.exceptions import ClientError

KEY = "AKIAPARALLAXSIM00001"
SECRET = "parallax-simulated-secret"
SERVER = None


class Server:
    def __init__(self, *arguments):
        self.process = subprocess.Popen([SERVER, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().strip()
        if not line.startswith("url="):
            raise RuntimeError(self.process.stderr.read())
        self.url = line[4:]

    def client(self, service, region="us-west-2", key=KEY, secret=SECRET):
        return boto3.client(service, region_name=region, endpoint_url=self.url, aws_access_key_id=key,
                            aws_secret_access_key=secret, config=Config(retries={"total_max_attempts": 1}))

    def close(self):
        self.process.stdin.close()
        errors = self.process.stderr.read()
        self.process.wait(timeout=20)
        self.process.stdout.close()
        self.process.stderr.close()
        return errors


class Case(unittest.TestCase):
    def expect_code(self, code, call, *arguments, status=None, **parameters):
        with self.assertRaises(ClientError) as caught:
            call(*arguments, **parameters)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        if status is not None:
            self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], status)
        return caught.exception.response["Error"].get("Message", "")


def only_instance(ec2):
    return ec2.describe_instances()["Reservations"][0]["Instances"][0]


class Reading(Case):
    """One server for what changes nothing."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server("adopted", "1")
        cls.ec2 = cls.server.client("ec2")

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def test_describes_the_adopted_instance_in_each_region(self):
        for region in ["us-west-2", "us-east-1", "sa-east-1", "eu-west-3", "ap-northeast-1", "ap-southeast-2"]:
            instance = only_instance(self.server.client("ec2", region))
            self.assertEqual(instance["State"], {"Code": 80, "Name": "stopped"})
            self.assertEqual(instance["InstanceType"], "t2.micro")
            self.assertIn({"Key": "parallax:fleet", "Value": "NAVO"}, instance["Tags"])
        self.assertEqual(self.server.client("ec2", "eu-central-1").describe_instances()["Reservations"], [])

    def test_describes_what_belongs_to_it(self):
        instance = only_instance(self.ec2)
        image = self.ec2.describe_images(ImageIds=[instance["ImageId"]])["Images"][0]
        snapshot_id = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
        self.assertEqual(self.ec2.describe_snapshots(SnapshotIds=[snapshot_id])["Snapshots"][0]["State"], "completed")
        volume_id = instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
        volume = self.ec2.describe_volumes(VolumeIds=[volume_id])["Volumes"][0]
        self.assertEqual(volume["Attachments"][0]["InstanceId"], instance["InstanceId"])
        self.assertEqual(self.ec2.describe_key_pairs(KeyNames=["NAVO"])["KeyPairs"][0]["KeyName"], "NAVO")
        group = self.ec2.describe_security_groups(GroupNames=["NAVO"])["SecurityGroups"][0]
        self.assertEqual(instance["SecurityGroups"][0]["GroupId"], group["GroupId"])
        self.assertEqual(group["IpPermissions"], [])
        vpc = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]
        subnets = self.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
        self.assertEqual(len(subnets), 3)

    def test_pages(self):
        paginator = self.ec2.get_paginator("describe_tags")
        pages = list(paginator.paginate(PaginationConfig={"PageSize": 5}))
        tags = [tag for page in pages for tag in page["Tags"]]
        self.assertGreater(len(pages), 1)
        self.assertEqual(len(tags), len(self.ec2.describe_tags()["Tags"]))
        self.assertEqual(len({(tag["ResourceId"], tag["Key"]) for tag in tags}), len(tags))

    def test_filters(self):
        found = self.ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["NA*"]},
                                                     {"Name": "instance-state-name", "Values": ["stopped", "running"]}])
        self.assertEqual(len(found["Reservations"]), 1)
        self.expect_code("InvalidParameterValue", self.ec2.describe_instances,
                         Filters=[{"Name": "colour", "Values": ["blue"]}])

    def test_regions(self):
        self.assertEqual(len(self.ec2.describe_regions()["Regions"]), 17)
        states = {r["RegionName"]: r["OptInStatus"] for r in self.ec2.describe_regions(AllRegions=True)["Regions"]}
        self.assertEqual(states["af-south-1"], "not-opted-in")
        self.expect_code("AuthFailure", self.server.client("ec2", "af-south-1").describe_instances, status=401)
        self.expect_code("UnrecognizedClientException", self.server.client("ssm", "af-south-1").list_commands)

    def test_errors_of_ids(self):
        self.expect_code("InvalidInstanceID.NotFound", self.ec2.describe_instances,
                         InstanceIds=["i-00000000000000000"], status=400)
        self.expect_code("InvalidInstanceID.Malformed", self.ec2.start_instances, InstanceIds=["i-x"])
        self.expect_code("InvalidAMIID.NotFound", self.ec2.describe_images, ImageIds=["ami-00000000000000000"])
        self.expect_code("InvalidParameterCombination", self.ec2.describe_instances, MaxResults=5,
                         InstanceIds=[only_instance(self.ec2)["InstanceId"]])
        ssm = self.server.client("ssm")
        self.expect_code("InvalidCommandId", ssm.cancel_command, CommandId="0" * 36)
        self.expect_code("InvalidDocument", ssm.send_command, InstanceIds=[only_instance(self.ec2)["InstanceId"]],
                         DocumentName="AWS-Nothing")

    def test_dry_run(self):
        self.expect_code("DryRunOperation", self.ec2.start_instances, status=412, DryRun=True,
                         InstanceIds=[only_instance(self.ec2)["InstanceId"]])
        self.assertEqual(only_instance(self.ec2)["State"]["Name"], "stopped")

    def test_actions_that_are_lacking(self):
        self.expect_code("InvalidAction", self.ec2.create_transit_gateway, status=400)
        self.expect_code("UnknownOperationException", self.server.client("ssm").list_documents, status=400)

    def test_wrong_secret(self):
        bad = {"secret": "wrong"}
        self.expect_code("AuthFailure", self.server.client("ec2", **bad).describe_instances, status=401)
        self.expect_code("InvalidSignatureException", self.server.client("ssm", **bad).list_commands, status=400)
        self.expect_code("SignatureDoesNotMatch", self.server.client("sts", **bad).get_caller_identity, status=403)

    def test_unknown_key(self):
        bad = {"key": "AKIAUNKNOWN000000001"}
        self.expect_code("AuthFailure", self.server.client("ec2", **bad).describe_instances, status=401)
        self.expect_code("UnrecognizedClientException", self.server.client("ssm", **bad).list_commands, status=400)
        self.expect_code("InvalidClientTokenId", self.server.client("sts", **bad).get_caller_identity, status=403)

    def test_identity(self):
        self.assertEqual(self.server.client("sts").get_caller_identity()["Account"], "000000000000")

    def send_signed(self, body, when=None, headers=None, service="ec2"):
        """A request signed by botocore's signer but not made by its serializer."""
        request = botocore.awsrequest.AWSRequest(
            method="POST", url=self.server.url + "/", data=body,
            headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
        real = botocore.auth.datetime.datetime

        class Fixed(real):
            @classmethod
            def utcnow(cls):
                return when or real.utcnow()

        botocore.auth.datetime.datetime = Fixed
        try:
            credentials = botocore.credentials.Credentials(KEY, SECRET)
            botocore.auth.SigV4Auth(credentials, service, "us-west-2").add_auth(request)
        finally:
            botocore.auth.datetime.datetime = real
        netloc = urllib.parse.urlsplit(self.server.url).netloc
        connection = http.client.HTTPConnection(netloc)
        connection.request("POST", "/", body, {**dict(request.headers), **(headers or {})})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def test_old_and_early_requests(self):
        body = "Action=DescribeRegions&Version=2016-11-15"
        self.assertEqual(self.send_signed(body)[0], 200)
        for minutes in (-16, 16):
            when = datetime.datetime.utcnow() + datetime.timedelta(minutes=minutes)
            status, text = self.send_signed(body, when)
            self.assertEqual(status, 400)
            self.assertIn("<Code>RequestExpired</Code>", text)
        status, _ = self.send_signed(body, datetime.datetime.utcnow() - datetime.timedelta(minutes=14))
        self.assertEqual(status, 200)

    def test_unknown_and_missing_parameters(self):
        common = "Version=2016-11-15&Action="
        self.assertIn("<Code>UnknownParameter</Code>", self.send_signed(common + "DescribeRegions&Colour=blue")[1])
        self.assertIn("<Code>MissingParameter</Code>", self.send_signed(common + "StartInstances")[1])
        self.assertIn("<Code>InvalidParameterValue</Code>", self.send_signed(common + "DescribeRegions&AllRegions=maybe")[1])
        self.assertIn("<Code>UnknownParameter</Code>", self.send_signed(common + "DescribeInstances&InstanceId.0=i-1")[1])

    def test_headers_that_nobody_signed_are_refused(self):
        status, text = self.send_signed("Action=DescribeRegions&Version=2016-11-15", headers={"X-Amz-Extra": "1"})
        self.assertEqual(status, 401)

    def test_web_pages_are_refused(self):
        status, _ = self.send_signed("Action=DescribeRegions&Version=2016-11-15", headers={"Origin": "http://localhost"})
        self.assertEqual(status, 403)

    def test_unsigned_requests_are_refused(self):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.server.url).netloc)
        connection.request("POST", "/", "Action=DescribeRegions&Version=2016-11-15")
        answer = connection.getresponse()
        self.assertEqual(answer.status, 401)
        self.assertIn(b"<Code>AuthFailure</Code>", answer.read())
        connection.close()


class World(Case):
    def test_reference_world_has_no_fleet_tag(self):
        server = Server("reference", "1")
        self.assertEqual(only_instance(server.client("ec2"))["Tags"], [{"Key": "Name", "Value": "NAVO"}])
        server.close()

    def test_empty_world_has_a_default_vpc_only(self):
        server = Server("empty", "1")
        ec2 = server.client("ec2")
        self.assertEqual(ec2.describe_instances()["Reservations"], [])
        self.assertEqual(len(ec2.describe_vpcs()["Vpcs"]), 1)
        server.close()


class Running(Case):
    """The life of an instance, speeded up."""

    def start(self, server):
        ec2 = server.client("ec2")
        self.instance_id = only_instance(ec2)["InstanceId"]
        changes = ec2.start_instances(InstanceIds=[self.instance_id])["StartingInstances"]
        self.assertEqual(changes[0]["PreviousState"]["Name"], "stopped")
        self.assertEqual(changes[0]["CurrentState"]["Name"], "pending")
        ec2.get_waiter("instance_running").wait(InstanceIds=[self.instance_id],
                                                WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        return ec2

    def send(self, ssm, lines, **more):
        """SendCommand as soon as the agent has registered."""
        for _ in range(300):
            try:
                return ssm.send_command(InstanceIds=[self.instance_id], DocumentName="AWS-RunShellScript",
                                        Parameters={"commands": lines, **more}, Comment="a marker")["Command"]["CommandId"]
            except ClientError as error:
                if error.response["Error"]["Code"] != "InvalidInstanceId":
                    raise
                self.assertIn("not in a valid state for account 000000000000", error.response["Error"]["Message"])
                time.sleep(0.05)
        raise AssertionError("the agent never registered")

    def test_start_command_stop_without_execution(self):
        server = Server("adopted", "30")
        try:
            ec2 = self.start(server)
            ssm = server.client("ssm")
            command = self.send(ssm, ["echo hello"])
            with self.assertRaises(Exception):
                ssm.get_waiter("command_executed").wait(CommandId=command, InstanceId=self.instance_id,
                                                        WaiterConfig={"Delay": 1, "MaxAttempts": 20})
            result = ssm.get_command_invocation(CommandId=command, InstanceId=self.instance_id)
            self.assertEqual(result["ResponseCode"], 126)
            self.assertIn("--execute", result["StandardErrorContent"])
            listed = ssm.list_commands(InstanceId=self.instance_id,
                                       Filters=[{"key": "InvokedAfter", "value": "2020-01-01T00:00:00Z"}])["Commands"]
            self.assertEqual(listed[0]["Comment"], "a marker")
            self.assertEqual(listed[0]["Status"], "Failed")
            changes = ec2.stop_instances(InstanceIds=[self.instance_id])["StoppingInstances"]
            self.assertEqual(changes[0]["CurrentState"]["Name"], "stopping")
            ec2.get_waiter("instance_stopped").wait(InstanceIds=[self.instance_id],
                                                    WaiterConfig={"Delay": 1, "MaxAttempts": 30})
            instance = only_instance(ec2)
            self.assertEqual(instance["StateReason"]["Code"], "Client.UserInitiatedShutdown")
            self.assertRegex(instance["StateTransitionReason"], r"^User initiated \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d GMT\)$")
        finally:
            server.close()

    def test_attributes_and_tags(self):
        server = Server("adopted", "30")
        try:
            ec2 = server.client("ec2")
            instance_id = only_instance(ec2)["InstanceId"]
            behaviour = {"InstanceId": instance_id, "Attribute": "instanceInitiatedShutdownBehavior"}
            name = "InstanceInitiatedShutdownBehavior"
            self.assertEqual(ec2.describe_instance_attribute(**behaviour)[name], {"Value": "stop"})
            ec2.modify_instance_attribute(InstanceId=instance_id, InstanceInitiatedShutdownBehavior={"Value": "terminate"})
            self.assertEqual(ec2.describe_instance_attribute(**behaviour)[name], {"Value": "terminate"})
            self.expect_code("InvalidParameterCombination", ec2.modify_instance_attribute, InstanceId=instance_id,
                             InstanceType={"Value": "t3.micro"}, EbsOptimized={"Value": True})
            ec2.create_tags(Resources=[instance_id], Tags=[{"Key": "a", "Value": "<&\"é"}])
            self.assertIn({"Key": "a", "Value": "<&\"é"}, only_instance(ec2)["Tags"])
            ec2.delete_tags(Resources=[instance_id], Tags=[{"Key": "a"}])
            self.assertNotIn("a", [tag["Key"] for tag in only_instance(ec2)["Tags"]])
            self.expect_code("InvalidID", ec2.create_tags, Resources=["x-1"], Tags=[{"Key": "a", "Value": "b"}])
        finally:
            server.close()

    def test_executes_and_a_shutdown_inside_stops_the_simulated_instance(self):
        with tempfile.TemporaryDirectory() as directory:
            server = Server("adopted", "30", "execute", os.path.join(os.path.realpath(directory), "guests"))
            try:
                ec2 = self.start(server)
                ssm = server.client("ssm")
                command = self.send(ssm, ["echo hello; echo oops >&2", "exit 3"])
                with self.assertRaises(Exception):
                    ssm.get_waiter("command_executed").wait(CommandId=command, InstanceId=self.instance_id,
                                                            WaiterConfig={"Delay": 1, "MaxAttempts": 20})
                result = ssm.get_command_invocation(CommandId=command, InstanceId=self.instance_id)
                self.assertEqual((result["ResponseCode"], result["StandardOutputContent"], result["StandardErrorContent"]),
                                 (3, "hello\n", "oops\n"))
                # The script looks at the file before it calls it: only the simulated command is ever run.
                command = self.send(ssm, ["path=$(command -v shutdown)", "[ -e /sbin/shutdown ] && path=/sbin/shutdown",
                                          "grep -q 'Simulated instance' $path || exit 99", "$path -P +1"])
                ssm.get_waiter("command_executed").wait(CommandId=command, InstanceId=self.instance_id,
                                                        WaiterConfig={"Delay": 1, "MaxAttempts": 20})
                ec2.get_waiter("instance_stopped").wait(InstanceIds=[self.instance_id],
                                                        WaiterConfig={"Delay": 1, "MaxAttempts": 30})
                self.assertEqual(only_instance(ec2)["StateReason"]["Code"], "Client.InstanceInitiatedShutdown")
            finally:
                server.close()

    def test_throttles_after_the_published_burst(self):
        server = Server("adopted", "1")
        try:
            ec2 = server.client("ec2")
            instance_id = only_instance(ec2)["InstanceId"]
            ec2.start_instances(InstanceIds=[instance_id])
            # It is pending for five seconds at least.
            self.expect_code("IncorrectInstanceState", ec2.stop_instances, InstanceIds=[instance_id])
            codes = []
            for _ in range(12):
                try:
                    ec2.start_instances(InstanceIds=[instance_id])
                    codes.append("ok")
                except ClientError as error:
                    codes.append(error.response["Error"]["Code"])
                    self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 503)
            self.assertEqual(codes[:4], ["ok"] * 4)
            self.assertIn("RequestLimitExceeded", codes)
        finally:
            server.close()


if __name__ == "__main__":
    SERVER = sys.argv.pop(1)
    unittest.main(warnings="ignore")
