#!/usr/bin/python3
"""Does set-up, check, run and clear with boto3 as AWS_servicemon's scripts do: the same calls in the same order, region
after region, with its pauses. Every pause is divided by SCALE, as are the times of the simulated cloud beside it.

    reference_fleet.py SCALE setup|check|run|clear REGION...      prints {"calls": N, "seconds": N} as one JSON line

The program is our own; what it does was counted on the wire. Home is us-west-2; its image, group and profile are there.
"""
import json
import os
import sys
import time

import boto3
import botocore.config
import botocore.exceptions

HOME = "us-west-2"
NAME = "NAVO"
POLL_S, COMMAND_POLL_S, AGENT_SLEEP_S, IMAGE_POLLS = 15, 30, 30, 40
LIVING = ("pending", "running", "stopping", "stopped")


class Reference:
    def __init__(self, scale):
        self.scale = scale
        self.calls = 0
        self.session = boto3.Session()
        self.config = botocore.config.Config(parameter_validation=True)

    def client(self, service, region):
        client = self.session.client(service, region_name=region, endpoint_url=os.environ["AWS_ENDPOINT_URL"],
                                     config=self.config)
        client.meta.events.register("before-send", self.count)
        return client

    def count(self, **_):
        self.calls += 1

    def sleep(self, seconds):
        time.sleep(seconds / self.scale)

    def poll(self, done):
        """Asks, and again every 15 s, until it is so."""
        while not done():
            self.sleep(POLL_S)

    # -- config_region

    def set_up(self, region):
        ec2 = self.client("ec2", region)
        image = self.set_up_image(ec2, region)
        self.set_up_key(ec2)
        group = self.set_up_group(ec2)
        reservations = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": [NAME]}])["Reservations"]
        if reservations:
            instance = reservations[0]["Instances"][0]["InstanceId"]
        else:
            instance = self.launch(ec2, image, group)
        ec2.stop_instances(InstanceIds=[instance])

    def set_up_image(self, ec2, region):
        home = self.client("ec2", HOME) if region != HOME else ec2
        original = home.describe_images(Owners=["self"], Filters=[{"Name": "name", "Values": [NAME]}])["Images"][0]
        if region == HOME:
            return original["ImageId"]
        there = ec2.describe_images(Owners=["self"], Filters=[{"Name": "name", "Values": [NAME]}])["Images"]
        if there:
            return there[0]["ImageId"]
        image = ec2.copy_image(Name=NAME, SourceImageId=original["ImageId"], SourceRegion=HOME)["ImageId"]
        self.poll(lambda: ec2.describe_images(ImageIds=[image])["Images"][0]["State"] == "available")
        return image

    @staticmethod
    def set_up_key(ec2):
        try:
            ec2.describe_key_pairs(KeyNames=[NAME])
        except botocore.exceptions.ClientError:
            with open(os.environ["REFERENCE_PUBLIC_KEY"], "rb") as file:
                ec2.import_key_pair(KeyName=NAME, PublicKeyMaterial=file.read())

    @staticmethod
    def set_up_group(ec2):
        try:
            return ec2.describe_security_groups(GroupNames=[NAME])["SecurityGroups"][0]["GroupId"]
        except botocore.exceptions.ClientError:
            vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
            group = ec2.create_security_group(GroupName=NAME, Description=NAME, VpcId=vpc)["GroupId"]
            ec2.authorize_security_group_ingress(
                GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
                                               "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
            return group

    def launch(self, ec2, image, group):
        instance = ec2.run_instances(ImageId=image, InstanceType=os.environ.get("REFERENCE_TYPE", "t3.micro"),
                                     KeyName=NAME, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        self.poll(lambda: state_of(ec2, instance) == "running")
        ec2.modify_instance_attribute(InstanceId=instance, Groups=[group])
        ec2.create_tags(Resources=[instance], Tags=[{"Key": "Name", "Value": NAME}])
        ec2.associate_iam_instance_profile(IamInstanceProfile={"Name": os.environ["REFERENCE_PROFILE"]},
                                           InstanceId=instance)
        return instance

    # -- check_region

    def check(self, region):
        ec2 = self.client("ec2", region)
        ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": [NAME]}])
        ec2.describe_images(Owners=["self"], Filters=[{"Name": "name", "Values": [NAME]}])
        ec2.describe_snapshots(OwnerIds=["self"])
        for ask in (lambda: ec2.describe_key_pairs(KeyNames=[NAME]),
                    lambda: ec2.describe_security_groups(GroupNames=[NAME])):
            try:
                ask()
            except botocore.exceptions.ClientError:
                pass  # read as: does not exist

    # -- start_region, run_servicemon, stop_region

    def run(self, region):
        ec2, ssm = self.client("ec2", region), self.client("ssm", region)
        instance = self.find(ec2)
        if state_of(ec2, instance) == "stopped":
            ec2.start_instances(InstanceIds=[instance])
        self.poll(lambda: state_of(ec2, instance) == "running")
        state_of(ec2, instance)
        self.sleep(AGENT_SLEEP_S)
        instance = self.find(ec2)
        command = ssm.send_command(InstanceIds=[instance], DocumentName="AWS-RunShellScript",
                                   Parameters={"commands": ["./aws.sh"]})["Command"]["CommandId"]
        while ssm.list_commands(CommandId=command)["Commands"][0]["Status"] in ("Pending", "InProgress"):
            self.sleep(COMMAND_POLL_S)
        instance = self.find(ec2)
        ec2.stop_instances(InstanceIds=[instance])
        self.poll(lambda: state_of(ec2, instance) == "stopped")

    @staticmethod
    def find(ec2):
        reservations = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": [NAME]}])["Reservations"]
        return [i["InstanceId"] for r in reservations for i in r["Instances"] if i["State"]["Name"] in LIVING][-1]

    # -- clear_region

    def clear(self, region):
        if region == HOME:
            return  # it refuses to clear home
        ec2 = self.client("ec2", region)
        instance = self.find(ec2)
        ec2.terminate_instances(InstanceIds=[instance])
        self.poll(lambda: state_of(ec2, instance) == "terminated")
        for image in ec2.describe_images(Owners=["self"], Filters=[{"Name": "name", "Values": [NAME]}])["Images"]:
            ec2.deregister_image(ImageId=image["ImageId"])
            for snapshot in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]:
                if image["ImageId"] in snapshot.get("Description", "") or True:  # the only one that there is
                    ec2.delete_snapshot(SnapshotId=snapshot["SnapshotId"])
        ec2.describe_key_pairs(KeyNames=[NAME])
        ec2.delete_key_pair(KeyName=NAME)
        group = ec2.describe_security_groups(GroupNames=[NAME])["SecurityGroups"][0]["GroupId"]
        self.delete_group(ec2, group)

    def delete_group(self, ec2, group):
        """The terminated machine's interface holds it for some seconds: asked again, as a user would run it again."""
        while True:
            try:
                ec2.delete_security_group(GroupId=group)
                return
            except botocore.exceptions.ClientError as error:
                if error.response["Error"]["Code"] != "DependencyViolation":
                    raise
                self.sleep(POLL_S)


def state_of(ec2, instance):
    return ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["State"]["Name"]


def main():
    scale, what, regions = float(sys.argv[1]), sys.argv[2], sys.argv[3:]
    reference = Reference(scale)
    act = {"setup": reference.set_up, "check": reference.check, "run": reference.run, "clear": reference.clear}[what]
    start = time.perf_counter()
    for region in regions:
        act(region)
    print(json.dumps({"calls": reference.calls, "seconds": time.perf_counter() - start}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
