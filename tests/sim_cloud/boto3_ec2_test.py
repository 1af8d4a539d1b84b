#!/usr/bin/python3
"""boto3 against every EC2 operation of the simulated cloud, with botocore's own waiters and paginators.

    boto3_ec2_test.py PATH_OF_sim_aws_for_test [newer]

With "newer" it is skipped (exit 77) where this python's boto3 is missing or as old as Debian's.
"""
import base64
import hashlib
import subprocess
import sys
import time
import unittest

try:
    import boto3
except ImportError:
    sys.exit(77)
from botocore.config import Config
from botocore.exceptions import ClientError

KEY = "AKIAPARALLAXSIM00001"
SECRET = "parallax-simulated-secret"
SERVER = None
CALLED = set()  # operations
SCALE = "60"
QUICK = {"Delay": 1, "MaxAttempts": 40}
MICRO = {"InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
RULE = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}


class Server:
    def __init__(self, *arguments):
        self.process = subprocess.Popen([SERVER, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip()[4:]

    def client(self, region="us-west-2"):
        client = boto3.client("ec2", region_name=region, endpoint_url=self.url,
                              aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                              config=Config(retries={"total_max_attempts": 6, "mode": "standard"}))
        client.meta.events.register("before-call.ec2.*", lambda model, **_: CALLED.add(model.name))
        return client

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()


def has(client, operation, member, direction="input_shape"):
    """Whether this botocore's model has the member."""
    shape = getattr(client.meta.service_model.operation_model(operation), direction)
    return shape is not None and member in shape.members


class Case(unittest.TestCase):
    WORLD = "adopted"

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.WORLD, SCALE)
        cls.ec2 = cls.server.client()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def refused(self, code, call, **parameters):
        with self.assertRaises(ClientError) as caught:
            call(**parameters)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response

    def image(self):
        return self.ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"]

    def run_one(self, **more):
        machine = self.ec2.run_instances(ImageId=self.image(), **{**MICRO, **more})["Instances"][0]["InstanceId"]
        self.addCleanup(self.end, machine)
        return machine

    def end(self, machine):
        self.ec2.modify_instance_attribute(InstanceId=machine, DisableApiTermination={"Value": False})
        self.ec2.terminate_instances(InstanceIds=[machine])

    def wait(self, name, **parameters):
        self.ec2.get_waiter(name).wait(WaiterConfig=QUICK, **parameters)

    def one(self, machine):
        return self.ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0]


class Instances(Case):
    def test_a_machine_from_launch_to_its_end(self):
        ec2 = self.ec2
        self.refused("DryRunOperation", ec2.run_instances, ImageId=self.image(), DryRun=True, **MICRO)
        group = ec2.create_security_group(GroupName="life", Description="d")["GroupId"]
        ec2.create_key_pair(KeyName="life")
        answer = ec2.run_instances(
            ImageId=self.image(), KeyName="life", SecurityGroupIds=[group], UserData="#!/bin/sh\n", EbsOptimized=True,
            Placement={"AvailabilityZone": "us-west-2b"}, InstanceInitiatedShutdownBehavior="terminate",
            BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 12, "Encrypted": True}},
                                 {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 5, "VolumeType": "gp3"}}],
            MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 3}, Monitoring={"Enabled": True},
            IamInstanceProfile={"Name": "parallax-NAVO"},
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "life"}]},
                               {"ResourceType": "volume", "Tags": [{"Key": "of", "Value": "life"}]}], **MICRO)
        machine = answer["Instances"][0]["InstanceId"]
        self.wait("instance_exists", InstanceIds=[machine])
        self.wait("instance_running", InstanceIds=[machine])
        self.wait("instance_status_ok", InstanceIds=[machine])
        self.wait("system_status_ok", InstanceIds=[machine])
        shown = self.one(machine)
        self.assertEqual(shown["Placement"]["AvailabilityZone"], "us-west-2b")
        self.assertEqual(shown["MetadataOptions"]["HttpPutResponseHopLimit"], 3)
        self.assertEqual(shown["Tags"], [{"Key": "Name", "Value": "life"}])
        self.assertEqual(len(shown["BlockDeviceMappings"]), 2)
        self.assertEqual(shown["Monitoring"]["State"], "enabled")
        self.assertEqual(shown["NetworkInterfaces"][0]["Groups"][0]["GroupId"], group)
        volumes = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [machine]}])["Volumes"]
        self.assertEqual(sorted((v["Size"], v["Encrypted"]) for v in volumes), [(5, False), (12, True)])
        interfaces = ec2.describe_network_interfaces(
            Filters=[{"Name": "attachment.instance-id", "Values": [machine]}])["NetworkInterfaces"]
        self.assertEqual(interfaces[0]["Association"]["PublicIp"], shown["PublicIpAddress"])
        ec2.reboot_instances(InstanceIds=[machine])
        ec2.unmonitor_instances(InstanceIds=[machine])
        ec2.monitor_instances(InstanceIds=[machine])
        self.assertIn("Simulated machine", ec2.get_console_output(InstanceId=machine, Latest=True)["Output"])
        ec2.stop_instances(InstanceIds=[machine])
        self.wait("instance_stopped", InstanceIds=[machine])
        self.assertNotIn("PublicIpAddress", self.one(machine))
        ec2.start_instances(InstanceIds=[machine])
        self.wait("instance_running", InstanceIds=[machine])
        ec2.terminate_instances(InstanceIds=[machine])
        self.wait("instance_terminated", InstanceIds=[machine])
        self.refused("IncorrectInstanceState", ec2.start_instances, InstanceIds=[machine])
        for _ in range(100):
            try:
                ec2.delete_security_group(GroupId=group)
                break
            except ClientError as error:
                self.assertEqual(error.response["Error"]["Code"], "DependencyViolation")
                time.sleep(0.1)
        ec2.delete_key_pair(KeyName="life")

    def test_client_tokens(self):
        arguments = dict(ImageId=self.image(), ClientToken="once", **MICRO)
        machine = self.ec2.run_instances(**arguments)["Instances"][0]["InstanceId"]
        self.addCleanup(self.end, machine)
        self.assertEqual(self.ec2.run_instances(**arguments)["Instances"][0]["InstanceId"], machine)
        self.refused("IdempotentParameterMismatch", self.ec2.run_instances, **{**arguments, "InstanceType": "t3.nano"})

    def test_paging_of_instances(self):
        for _ in range(3):
            self.run_one(MaxCount=2)
        time.sleep(1)
        pages = list(self.ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5}))
        found = [i["InstanceId"] for page in pages for r in page["Reservations"] for i in r["Instances"]]
        self.assertEqual(len(found), len(set(found)))
        self.assertGreaterEqual(len(found), 7)
        paginator = self.ec2.get_paginator("describe_instance_status")
        statuses = list(paginator.paginate(IncludeAllInstances=True, PaginationConfig={"PageSize": 5}))
        self.assertGreater(len(statuses), 1)

    def test_every_attribute(self):
        ec2 = self.ec2
        machine = self.run_one(UserData="hello")
        self.wait("instance_running", InstanceIds=[machine])
        for attribute in ["instanceType", "kernel", "ramdisk", "userData", "disableApiTermination",
                          "instanceInitiatedShutdownBehavior", "rootDeviceName", "blockDeviceMapping", "productCodes",
                          "sourceDestCheck", "groupSet", "ebsOptimized", "sriovNetSupport", "enaSupport",
                          "enclaveOptions", "disableApiStop"]:
            answer = ec2.describe_instance_attribute(InstanceId=machine, Attribute=attribute)
            self.assertEqual(answer["InstanceId"], machine, attribute)
        data = ec2.describe_instance_attribute(InstanceId=machine, Attribute="userData")["UserData"]["Value"]
        self.assertEqual(base64.b64decode(data), b"hello")
        group = ec2.create_security_group(GroupName="attribute", Description="d")["GroupId"]
        ec2.modify_instance_attribute(InstanceId=machine, Groups=[group])
        ec2.modify_instance_attribute(InstanceId=machine, SourceDestCheck={"Value": False})
        ec2.reset_instance_attribute(InstanceId=machine, Attribute="sourceDestCheck")
        self.assertTrue(self.one(machine)["SourceDestCheck"])
        ec2.modify_instance_attribute(InstanceId=machine, BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": False}}])
        ec2.modify_instance_attribute(InstanceId=machine, BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": True}}])
        ec2.modify_instance_metadata_options(InstanceId=machine, HttpTokens="optional", HttpPutResponseHopLimit=5)
        self.assertEqual(self.one(machine)["MetadataOptions"]["HttpPutResponseHopLimit"], 5)
        ec2.modify_instance_attribute(InstanceId=machine, DisableApiTermination={"Value": True})
        self.refused("OperationNotPermitted", ec2.terminate_instances, InstanceIds=[machine])
        self.refused("IncorrectInstanceState", ec2.modify_instance_attribute, InstanceId=machine,
                     InstanceType={"Value": "t3.nano"})
        ec2.stop_instances(InstanceIds=[machine], Force=True)
        self.wait("instance_stopped", InstanceIds=[machine])
        ec2.modify_instance_attribute(InstanceId=machine, InstanceType={"Value": "t3.nano"})
        ec2.modify_instance_attribute(InstanceId=machine, UserData={"Value": b"other"})
        data = ec2.describe_instance_attribute(InstanceId=machine, Attribute="userData")["UserData"]["Value"]
        self.assertEqual(base64.b64decode(data), b"other")

    def test_profiles(self):
        ec2 = self.ec2
        machine = self.run_one()
        self.wait("instance_running", InstanceIds=[machine])
        profile = {"Name": "parallax-NAVO"}
        made = ec2.associate_iam_instance_profile(InstanceId=machine, IamInstanceProfile=profile)
        self.refused("IncorrectState", ec2.associate_iam_instance_profile, InstanceId=machine,
                     IamInstanceProfile=profile)
        association = made["IamInstanceProfileAssociation"]["AssociationId"]
        ec2.replace_iam_instance_profile_association(AssociationId=association, IamInstanceProfile=profile)
        pages = list(ec2.get_paginator("describe_iam_instance_profile_associations").paginate(
            Filters=[{"Name": "instance-id", "Values": [machine]}]))
        association = pages[0]["IamInstanceProfileAssociations"][0]["AssociationId"]
        ec2.disassociate_iam_instance_profile(AssociationId=association)
        self.assertNotIn("IamInstanceProfile", self.one(machine))

    def test_volumes_and_addresses_at_a_machine(self):
        ec2 = self.ec2
        machine = self.run_one()
        self.wait("instance_running", InstanceIds=[machine])
        zone = self.one(machine)["Placement"]["AvailabilityZone"]
        volume = ec2.create_volume(AvailabilityZone=zone, Size=3, VolumeType="gp3")["VolumeId"]
        self.wait("volume_available", VolumeIds=[volume])
        ec2.attach_volume(VolumeId=volume, InstanceId=machine, Device="/dev/sdg")
        self.wait("volume_in_use", VolumeIds=[volume])
        self.refused("VolumeInUse", ec2.delete_volume, VolumeId=volume)
        ec2.detach_volume(VolumeId=volume)
        ec2.delete_volume(VolumeId=volume)
        self.wait("volume_deleted", VolumeIds=[volume])
        address = ec2.allocate_address(Domain="vpc")
        association = ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=machine)["AssociationId"]
        self.assertEqual(self.one(machine)["PublicIpAddress"], address["PublicIp"])
        self.assertEqual(ec2.describe_addresses()["Addresses"][0]["InstanceId"], machine)
        self.refused("InvalidIPAddress.InUse", ec2.release_address, AllocationId=address["AllocationId"])
        ec2.disassociate_address(AssociationId=association)
        ec2.release_address(AllocationId=address["AllocationId"])


class Images(Case):
    def test_an_image_made_copied_shared_and_removed(self):
        ec2 = self.ec2
        machine = self.run_one()
        self.wait("instance_running", InstanceIds=[machine])
        made = ec2.create_image(InstanceId=machine, Name="made", NoReboot=True)["ImageId"]
        self.wait("image_exists", ImageIds=[made])
        self.wait("image_available", ImageIds=[made])
        ec2.modify_image_attribute(ImageId=made, Description={"Value": "text"})
        self.assertEqual(ec2.describe_image_attribute(ImageId=made, Attribute="description")["Description"]["Value"], "text")
        ec2.modify_image_attribute(ImageId=made, LaunchPermission={"Add": [{"UserId": "111122223333"}]})
        ec2.modify_image_attribute(ImageId=made, Attribute="launchPermission", OperationType="add", UserGroups=["all"])
        permissions = ec2.describe_image_attribute(ImageId=made, Attribute="launchPermission")["LaunchPermissions"]
        self.assertEqual(permissions, [{"UserId": "111122223333"}, {"Group": "all"}])
        self.assertEqual(len(ec2.describe_images(ExecutableUsers=["111122223333"])["Images"]), 1)
        ec2.reset_image_attribute(ImageId=made, Attribute="launchPermission")
        other = self.server.client("eu-central-1")
        copied = other.copy_image(Name="copied", SourceImageId=made, SourceRegion="us-west-2", Encrypted=True)["ImageId"]
        self.refused("InvalidAMIName.Duplicate", other.copy_image, Name="copied", SourceImageId=made,
                     SourceRegion="us-west-2")
        other.get_waiter("image_available").wait(ImageIds=[copied], WaiterConfig=QUICK)
        image = other.describe_images(ImageIds=[copied])["Images"][0]
        self.assertTrue(image["BlockDeviceMappings"][0]["Ebs"]["Encrypted"])
        snapshot = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
        text = other.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["Description"]
        self.assertRegex(text, rf"^Copied for DestinationAmi {copied} from SourceAmi {made} for SourceSnapshot "
                               r"snap-[0-9a-f]{17}\. Task created on [0-9,]+\.$")
        self.refused("InvalidSnapshot.InUse", other.delete_snapshot, SnapshotId=snapshot)
        extra = {"DeleteAssociatedSnapshots": True} if has(ec2, "DeregisterImage", "DeleteAssociatedSnapshots") else {}
        other.deregister_image(ImageId=copied, **extra)
        if not extra:
            other.delete_snapshot(SnapshotId=snapshot)
        self.assertEqual(other.describe_snapshots(OwnerIds=["self"])["Snapshots"], [])

    def test_images_of_others(self):
        found = self.ec2.describe_images(Owners=["amazon"], Filters=[{"Name": "architecture", "Values": ["arm64"]}])
        self.assertEqual(len(found["Images"]), 1)
        image = found["Images"][0]["ImageId"]
        self.refused("InvalidParameterValue", self.ec2.run_instances, ImageId=image, **MICRO)
        self.refused("AuthFailure", self.ec2.deregister_image, ImageId=image)
        if self.ec2.can_paginate("describe_images"):
            list(self.ec2.get_paginator("describe_images").paginate())

    def test_snapshots(self):
        ec2 = self.ec2
        volume = ec2.create_volume(AvailabilityZone="us-west-2a", Size=4)["VolumeId"]
        self.wait("volume_available", VolumeIds=[volume])
        snapshot = ec2.create_snapshot(VolumeId=volume, Description="d", TagSpecifications=[
            {"ResourceType": "snapshot", "Tags": [{"Key": "a", "Value": "b"}]}])["SnapshotId"]
        self.wait("snapshot_completed", SnapshotIds=[snapshot])
        other = self.server.client("eu-central-1")
        copy = other.copy_snapshot(SourceRegion="us-west-2", SourceSnapshotId=snapshot)["SnapshotId"]
        other.get_waiter("snapshot_completed").wait(SnapshotIds=[copy], WaiterConfig=QUICK)
        other.delete_snapshot(SnapshotId=copy)
        pages = list(ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], PaginationConfig={"PageSize": 5}))
        self.assertIn(snapshot, [s["SnapshotId"] for page in pages for s in page["Snapshots"]])
        ec2.delete_snapshot(SnapshotId=snapshot)
        ec2.delete_volume(VolumeId=volume)
        list(ec2.get_paginator("describe_volumes").paginate(PaginationConfig={"PageSize": 5}))
        self.assertFalse(ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"])
        self.assertTrue(ec2.enable_ebs_encryption_by_default()["EbsEncryptionByDefault"])
        self.assertFalse(ec2.disable_ebs_encryption_by_default()["EbsEncryptionByDefault"])


class Network(Case):
    def test_groups_and_rules(self):
        ec2 = self.ec2
        group = ec2.create_security_group(GroupName="web", Description="d")["GroupId"]
        self.wait("security_group_exists", GroupIds=[group])
        rule = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[RULE])["SecurityGroupRules"][0]
        answer = self.refused("InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=group,
                              IpPermissions=[RULE])
        self.assertEqual(answer["Error"]["Message"], 'the specified rule "peer: 10.0.0.0/8, TCP, from port: 22, '
                                                     'to port: 22, ALLOW" already exists')
        ec2.update_security_group_rule_descriptions_ingress(GroupId=group, IpPermissions=[
            {**RULE, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "ssh"}]}])
        ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[
            {"SecurityGroupRuleId": rule["SecurityGroupRuleId"],
             "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 23, "ToPort": 23, "CidrIpv4": "10.0.0.0/8"}}])
        pages = list(ec2.get_paginator("describe_security_group_rules").paginate(
            Filters=[{"Name": "group-id", "Values": [group]}], PaginationConfig={"PageSize": 5}))
        ports = sorted(r["FromPort"] for page in pages for r in page["SecurityGroupRules"])
        self.assertEqual(ports, [-1, 23])
        ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
        everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ec2.update_security_group_rule_descriptions_egress(GroupId=group, IpPermissions=[
            {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "out"}]}])
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[everything])
        self.refused("InvalidPermission.NotFound", ec2.revoke_security_group_egress, GroupId=group,
                     IpPermissions=[everything])
        ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": group}]}])
        other = ec2.create_security_group(GroupName="other", Description="d")["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[
            {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}])
        self.refused("DependencyViolation", ec2.delete_security_group, GroupId=group)
        ec2.delete_security_group(GroupId=other)
        ec2.delete_security_group(GroupName="web")
        list(ec2.get_paginator("describe_security_groups").paginate(PaginationConfig={"PageSize": 5}))

    def test_keys(self):
        ec2 = self.ec2
        made = ec2.create_key_pair(KeyName="made", KeyType="rsa")
        self.assertEqual(len(made["KeyFingerprint"].split(":")), 20)
        # OpenSSL says the same of the private key.
        pkcs8 = subprocess.run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], check=True,
                               input=made["KeyMaterial"].encode(), stdout=subprocess.PIPE).stdout
        self.assertEqual(hashlib.sha1(pkcs8).hexdigest(), made["KeyFingerprint"].replace(":", ""))
        self.wait("key_pair_exists", KeyNames=["made"])
        self.refused("InvalidKeyPair.Duplicate", ec2.create_key_pair, KeyName="made")
        public = ec2.describe_key_pairs(KeyNames=["made"], IncludePublicKey=True)["KeyPairs"][0]["PublicKey"]
        imported = ec2.import_key_pair(KeyName="imported", PublicKeyMaterial=public.encode())
        self.assertEqual(len(imported["KeyFingerprint"].split(":")), 16)
        ed25519 = ec2.create_key_pair(KeyName="ed", KeyType="ed25519")
        public = ec2.describe_key_pairs(KeyNames=["ed"], IncludePublicKey=True)["KeyPairs"][0]["PublicKey"]
        digest = base64.b64encode(hashlib.sha256(base64.b64decode(public.split()[1])).digest()).decode()
        self.assertEqual(ed25519["KeyFingerprint"], digest)
        self.refused("InvalidKey.Format", ec2.import_key_pair, KeyName="bad", PublicKeyMaterial=b"nonsense")
        for name in ["made", "imported", "ed", "never there"]:
            ec2.delete_key_pair(KeyName=name)

    def test_networks(self):
        ec2 = self.ec2
        vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        self.wait("vpc_exists", VpcIds=[vpc])
        self.wait("vpc_available", VpcIds=[vpc])
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.2.0/24")["Subnet"]["SubnetId"]
        self.wait("subnet_available", SubnetIds=[subnet])
        ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
        self.refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc)
        ec2.delete_subnet(SubnetId=subnet)
        ec2.delete_vpc(VpcId=vpc)
        for name in ["describe_vpcs", "describe_subnets", "describe_internet_gateways", "describe_route_tables",
                     "describe_network_interfaces"]:
            pages = list(ec2.get_paginator(name).paginate(PaginationConfig={"PageSize": 5}))
            self.assertGreaterEqual(len(pages), 1)
        self.refused("DefaultVpcAlreadyExists", ec2.create_default_vpc)
        zones = ec2.describe_availability_zones()["AvailabilityZones"]
        self.assertEqual([z["ZoneId"] for z in zones], ["usw2-az1", "usw2-az2", "usw2-az3"])
        self.assertIn("default-vpc", [a["AttributeName"] for a in ec2.describe_account_attributes()["AccountAttributes"]])

    def test_types_and_regions(self):
        ec2 = self.ec2
        for location in ["region", "availability-zone", "availability-zone-id"]:
            pages = list(ec2.get_paginator("describe_instance_type_offerings").paginate(
                LocationType=location, PaginationConfig={"PageSize": 5}))
            self.assertGreaterEqual(len(pages[0]["InstanceTypeOfferings"]), 5)
        pages = list(ec2.get_paginator("describe_instance_types").paginate(
            Filters=[{"Name": "processor-info.supported-architecture", "Values": ["arm64"]}]))
        self.assertEqual(sorted(t["InstanceType"] for t in pages[0]["InstanceTypes"]), ["t4g.micro", "t4g.nano"])
        self.assertEqual(len(ec2.describe_regions(RegionNames=["us-east-1"])["Regions"]), 1)
        self.refused("InvalidParameterValue", ec2.describe_regions, RegionNames=["mars-1"])

    def test_tags(self):
        ec2 = self.ec2
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        ec2.create_tags(Resources=[vpc], Tags=[{"Key": "a", "Value": "b"}])
        tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [vpc]}])["Tags"]
        self.assertEqual(tags, [{"Key": "a", "Value": "b", "ResourceId": vpc, "ResourceType": "vpc"}])
        ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "a"}])
        self.refused("InvalidParameterValue", ec2.create_tags, Resources=[vpc], Tags=[{"Key": "aws:x", "Value": ""}])
        list(ec2.get_paginator("describe_tags").paginate(PaginationConfig={"PageSize": 5}))


class Zz(unittest.TestCase):
    """Runs last: what the tests above have called is every operation that the program says it simulates."""

    def test_no_operation_was_left_out(self):
        listed = subprocess.run([SERVER, "operations", "ec2"], check=True, stdout=subprocess.PIPE, text=True).stdout
        self.assertEqual(sorted(set(listed.split()) - CALLED), [])


if __name__ == "__main__":
    SERVER = sys.argv.pop(1)
    if len(sys.argv) > 1 and sys.argv[1] == "newer":
        sys.argv.pop(1)
        debian = subprocess.run(["/usr/bin/python3", "-c", "import boto3; print(boto3.__version__)"],
                                stdout=subprocess.PIPE, text=True).stdout.strip()
        if boto3.__version__ == debian:
            sys.exit(77)
    unittest.main(warnings="ignore")
