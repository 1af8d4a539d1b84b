#!/usr/bin/python3
"""IAM, STS, Parameter Store, prices and schedules of the simulated cloud, by boto3: Debian's, or a newer one.

    boto3_iam_test.py PATH_OF_sim_aws_for_test
"""
import datetime
import json
import os
import sys
import unittest

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boto3_test as base  # noqa: E402

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com", "scheduler.amazonaws.com"]},
     "Action": "sts:AssumeRole"}]})
TRUST_ACCOUNT = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole",
     "Condition": {"StringEquals": {"sts:ExternalId": "secret-word"}}}]})


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


SSM_CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"


class Case(base.Case):
    @classmethod
    def setUpClass(cls):
        cls.server = base.Server("adopted", "50")
        cls.iam = cls.server.client("iam")

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def session_client(self, credentials, service, region="us-west-2", token=None):
        return boto3.client(service, region_name=region, endpoint_url=self.server.url,
                            aws_access_key_id=credentials["AccessKeyId"],
                            aws_secret_access_key=credentials["SecretAccessKey"],
                            aws_session_token=token if token is not None else credentials.get("SessionToken"),
                            config=Config(retries={"total_max_attempts": 1}))

    def user_with(self, name, *statements):
        self.iam.create_user(UserName=name)
        self.iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy(*statements))
        return self.iam.create_access_key(UserName=name)["AccessKey"]


class Roles(Case):
    def test_the_fleets_role_is_there(self):
        role = self.iam.get_role(RoleName="parallax-NAVO")["Role"]
        self.assertEqual(role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"], "ec2.amazonaws.com")
        attached = self.iam.list_attached_role_policies(RoleName="parallax-NAVO")["AttachedPolicies"]
        self.assertEqual(attached, [{"PolicyName": "AmazonSSMManagedInstanceCore", "PolicyArn": SSM_CORE}])

    def test_life_of_a_role_and_its_profile(self):
        iam = self.iam
        role = iam.create_role(RoleName="r1", Path="/fleet/", AssumeRolePolicyDocument=TRUST, Description="d",
                               Tags=[{"Key": "a", "Value": "b"}])["Role"]
        self.assertRegex(role["RoleId"], "^AROA[A-Z2-7]{17}$")
        self.assertEqual(role["Arn"], "arn:aws:iam::000000000000:role/fleet/r1")
        self.expect_code("EntityAlreadyExists", iam.create_role, RoleName="R1", AssumeRolePolicyDocument=TRUST,
                         status=409)
        iam.get_waiter("role_exists").wait(RoleName="r1")
        iam.attach_role_policy(RoleName="r1", PolicyArn=SSM_CORE)
        iam.put_role_policy(RoleName="r1", PolicyName="p", PolicyDocument=policy(allow("s3:*")))
        self.assertEqual(iam.get_role_policy(RoleName="r1", PolicyName="p")["PolicyDocument"]["Statement"][0]["Action"],
                         "s3:*")
        self.assertEqual(iam.list_role_policies(RoleName="r1")["PolicyNames"], ["p"])
        profile = iam.create_instance_profile(InstanceProfileName="p1")["InstanceProfile"]
        self.assertRegex(profile["InstanceProfileId"], "^AIPA[A-Z2-7]{17}$")
        iam.get_waiter("instance_profile_exists").wait(InstanceProfileName="p1")
        iam.add_role_to_instance_profile(InstanceProfileName="p1", RoleName="r1")
        self.expect_code("LimitExceeded", iam.add_role_to_instance_profile, InstanceProfileName="p1",
                         RoleName="parallax-NAVO", status=409)
        self.assertEqual(iam.list_instance_profiles_for_role(RoleName="r1")["InstanceProfiles"][0]["InstanceProfileName"],
                         "p1")
        for call, arguments in [(iam.delete_role, {"RoleName": "r1"}),
                                (iam.delete_instance_profile, {"InstanceProfileName": "p1"})]:
            self.expect_code("DeleteConflict", call, status=409, **arguments)
        iam.remove_role_from_instance_profile(InstanceProfileName="p1", RoleName="r1")
        iam.delete_instance_profile(InstanceProfileName="p1")
        self.expect_code("DeleteConflict", iam.delete_role, RoleName="r1")
        iam.detach_role_policy(RoleName="r1", PolicyArn=SSM_CORE)
        self.expect_code("NoSuchEntity", iam.detach_role_policy, RoleName="r1", PolicyArn=SSM_CORE, status=404)
        iam.delete_role_policy(RoleName="r1", PolicyName="p")
        iam.delete_role(RoleName="r1")
        self.expect_code("NoSuchEntity", iam.get_role, RoleName="r1", status=404)
        again = iam.create_role(RoleName="r1", AssumeRolePolicyDocument=TRUST)["Role"]
        self.assertNotEqual(again["RoleId"], role["RoleId"])
        iam.delete_role(RoleName="r1")

    def test_changes_and_tags(self):
        iam = self.iam
        iam.create_role(RoleName="r2", AssumeRolePolicyDocument=TRUST)
        iam.update_role(RoleName="r2", Description="new", MaxSessionDuration=7200)
        iam.update_role_description(RoleName="r2", Description="newer")
        iam.update_assume_role_policy(RoleName="r2", PolicyDocument=TRUST_ACCOUNT)
        iam.tag_role(RoleName="r2", Tags=[{"Key": "k", "Value": "v"}, {"Key": "l", "Value": "w"}])
        iam.untag_role(RoleName="r2", TagKeys=["l"])
        self.assertEqual(iam.list_role_tags(RoleName="r2")["Tags"], [{"Key": "k", "Value": "v"}])
        role = iam.get_role(RoleName="r2")["Role"]
        self.assertEqual((role["Description"], role["MaxSessionDuration"], role["Tags"]),
                         ("newer", 7200, [{"Key": "k", "Value": "v"}]))
        self.assertIn("AWS", role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"])
        iam.delete_role(RoleName="r2")

    def test_refuses_bad_documents(self):
        bad = [(self.iam.create_role, {"RoleName": "x", "AssumeRolePolicyDocument": "{}"}),
               (self.iam.create_role, {"RoleName": "x", "AssumeRolePolicyDocument": policy(allow("sts:AssumeRole"))}),
               (self.iam.create_role, {"RoleName": "x", "AssumeRolePolicyDocument": TRUST.replace("ec2.amazonaws.com", "nobody")}),
               (self.iam.put_role_policy, {"RoleName": "parallax-NAVO", "PolicyName": "p", "PolicyDocument": "nothing"})]
        for call, arguments in bad:
            self.expect_code("MalformedPolicyDocument", call, status=400, **arguments)

    def test_pages(self):
        for i in range(7):
            self.iam.create_role(RoleName=f"page{i}", Path="/pages/", AssumeRolePolicyDocument=TRUST)
        paginator = self.iam.get_paginator("list_roles")
        pages = list(paginator.paginate(PathPrefix="/pages/", PaginationConfig={"PageSize": 3}))
        self.assertEqual([len(page["Roles"]) for page in pages], [3, 3, 1])
        self.expect_code("ValidationError", self.iam.list_roles, Marker="nonsense")
        for i in range(7):
            self.iam.delete_role(RoleName=f"page{i}")
        for name, key in [("list_instance_profiles", "InstanceProfiles"), ("list_policies", "Policies"),
                          ("list_users", "Users")]:
            pages = list(self.iam.get_paginator(name).paginate(PaginationConfig={"PageSize": 1}))
            self.assertEqual({len(page[key]) for page in pages}, {1}, name)

    def test_signed_for_another_region(self):
        self.assertEqual(self.server.client("iam", "eu-west-3").get_user()["User"]["UserName"], "parallax")


class Policies(Case):
    def test_versions(self):
        iam = self.iam
        arn = iam.create_policy(PolicyName="m1", PolicyDocument=policy(allow("ec2:Start*")))["Policy"]["Arn"]
        self.expect_code("EntityAlreadyExists", iam.create_policy, PolicyName="m1",
                         PolicyDocument=policy(allow("ec2:*")))
        iam.get_waiter("policy_exists").wait(PolicyArn=arn)
        version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(allow("ec2:Stop*")),
                                            SetAsDefault=True)["PolicyVersion"]
        self.assertEqual(version["VersionId"], "v2")
        self.assertEqual(iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"], "v2")
        document = iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]["Document"]
        self.assertEqual(document["Statement"][0]["Action"], "ec2:Stop*")
        self.assertEqual([v["VersionId"] for v in iam.list_policy_versions(PolicyArn=arn)["Versions"]], ["v2", "v1"])
        self.expect_code("DeleteConflict", iam.delete_policy_version, PolicyArn=arn, VersionId="v2")
        self.expect_code("DeleteConflict", iam.delete_policy, PolicyArn=arn)
        iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
        iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
        iam.attach_role_policy(RoleName="parallax-NAVO", PolicyArn=arn)
        entities = iam.list_entities_for_policy(PolicyArn=arn)
        self.assertEqual([r["RoleName"] for r in entities["PolicyRoles"]], ["parallax-NAVO"])
        self.assertEqual(iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"], 1)
        self.expect_code("DeleteConflict", iam.delete_policy, PolicyArn=arn)
        iam.detach_role_policy(RoleName="parallax-NAVO", PolicyArn=arn)
        iam.delete_policy(PolicyArn=arn)
        self.expect_code("NoSuchEntity", iam.get_policy, PolicyArn=arn, status=404)
        self.expect_code("AccessDenied", iam.delete_policy, PolicyArn=SSM_CORE, status=403)

    def test_simulation(self):
        results = self.iam.simulate_custom_policy(
            PolicyInputList=[policy(allow("ec2:*", Condition={"StringEquals": {"aws:ResourceTag/k": "v"}}),
                                    {"Effect": "Deny", "Action": "ec2:TerminateInstances", "Resource": "*"})],
            ActionNames=["ec2:StopInstances", "ec2:TerminateInstances", "iam:GetRole"],
            ContextEntries=[{"ContextKeyName": "aws:ResourceTag/k", "ContextKeyValues": ["v"],
                             "ContextKeyType": "string"}])["EvaluationResults"]
        self.assertEqual([r["EvalDecision"] for r in results], ["allowed", "explicitDeny", "implicitDeny"])
        results = self.iam.simulate_principal_policy(
            PolicySourceArn="arn:aws:iam::000000000000:role/parallax-NAVO",
            ActionNames=["ssm:UpdateInstanceInformation", "ec2:RunInstances"])["EvaluationResults"]
        self.assertEqual([r["EvalDecision"] for r in results], ["allowed", "implicitDeny"])

    def test_account(self):
        summary = self.iam.get_account_summary()["SummaryMap"]
        self.assertGreaterEqual(summary["Roles"], 1)
        self.assertEqual(self.iam.list_account_aliases()["AccountAliases"], [])


class Users(Case):
    def test_a_user_has_what_its_policy_says(self):
        key = self.user_with("reader", allow("ec2:Describe*"))
        ec2 = self.session_client(key, "ec2")
        instance = base.only_instance(ec2)["InstanceId"]
        message = self.expect_code("UnauthorizedOperation", ec2.stop_instances, InstanceIds=[instance], status=403)
        self.expect_code("UnauthorizedOperation", ec2.start_instances, InstanceIds=[instance], DryRun=True, status=403)
        self.expect_code("AccessDeniedException", self.session_client(key, "ssm").list_commands, status=400)
        self.expect_code("AccessDenied", self.session_client(key, "iam").list_roles, status=403)
        decoded = self.server.client("sts").decode_authorization_message(EncodedMessage=message.split(": ")[-1])
        self.assertEqual(json.loads(decoded["DecodedMessage"])["context"]["action"], "ec2:StopInstances")
        self.assertEqual(self.session_client(key, "sts").get_caller_identity()["Arn"],
                         "arn:aws:iam::000000000000:user/reader")
        self.iam.update_access_key(UserName="reader", AccessKeyId=key["AccessKeyId"], Status="Inactive")
        self.expect_code("AuthFailure", ec2.describe_instances, status=401)
        self.expect_code("DeleteConflict", self.iam.delete_user, UserName="reader")
        self.iam.delete_access_key(UserName="reader", AccessKeyId=key["AccessKeyId"])
        self.iam.delete_user_policy(UserName="reader", PolicyName="own")
        self.iam.delete_user(UserName="reader")

    def test_tag_conditions(self):
        key = self.user_with("stopper", allow("ec2:Describe*"), allow(
            "ec2:StartInstances", Condition={"StringEquals": {"aws:ResourceTag/parallax:fleet": "NAVO"}}))
        ec2 = self.session_client(key, "ec2")
        instance = base.only_instance(ec2)["InstanceId"]
        self.expect_code("DryRunOperation", ec2.start_instances, InstanceIds=[instance], DryRun=True, status=412)
        self.server.client("ec2").create_tags(Resources=[instance], Tags=[{"Key": "parallax:fleet", "Value": "other"}])
        self.expect_code("UnauthorizedOperation", ec2.start_instances, InstanceIds=[instance])

    def test_permissions_boundary(self):
        key = self.user_with("bounded", allow("*"))
        self.iam.put_user_permissions_boundary(UserName="bounded",
                                               PermissionsBoundary="arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess")
        base.only_instance(self.session_client(key, "ec2"))
        self.expect_code("AccessDeniedException", self.session_client(key, "ssm").list_commands)

    def test_keys_are_limited(self):
        self.iam.create_user(UserName="keys")
        for _ in range(2):
            self.iam.create_access_key(UserName="keys")
        self.expect_code("LimitExceeded", self.iam.create_access_key, UserName="keys", status=409)
        self.assertEqual(len(self.iam.list_access_keys(UserName="keys")["AccessKeyMetadata"]), 2)


class Sessions(Case):
    def test_assume_role(self):
        self.iam.create_role(RoleName="worker", AssumeRolePolicyDocument=TRUST_ACCOUNT)
        self.iam.put_role_policy(RoleName="worker", PolicyName="p",
                                 PolicyDocument=policy(allow(["ec2:Describe*", "sts:AssumeRole"])))
        arn = "arn:aws:iam::000000000000:role/worker"
        sts = self.server.client("sts")
        self.expect_code("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="se", status=403)
        self.expect_code("ValidationError", sts.assume_role, RoleArn=arn, RoleSessionName="se", ExternalId="secret-word",
                         DurationSeconds=7200)
        answer = sts.assume_role(RoleArn=arn, RoleSessionName="se", ExternalId="secret-word")
        credentials = answer["Credentials"]
        self.assertTrue(credentials["AccessKeyId"].startswith("ASIA"))
        identity = self.session_client(credentials, "sts").get_caller_identity()
        self.assertEqual(identity["Arn"], "arn:aws:sts::000000000000:assumed-role/worker/se")
        self.assertEqual(identity["UserId"], answer["AssumedRoleUser"]["AssumedRoleId"])
        base.only_instance(self.session_client(credentials, "ec2"))
        self.expect_code("AccessDeniedException", self.session_client(credentials, "ssm").list_commands)
        for service, call, code in [("ec2", "describe_instances", "AuthFailure"),
                                    ("ssm", "list_commands", "UnrecognizedClientException"),
                                    ("sts", "get_caller_identity", "InvalidClientTokenId")]:
            wrong = self.session_client(credentials, service, token="other")
            self.expect_code(code, getattr(wrong, call))
        narrowed = sts.assume_role(RoleArn=arn, RoleSessionName="se", ExternalId="secret-word",
                                   Policy=policy(allow("ec2:DescribeRegions")))["Credentials"]
        ec2 = self.session_client(narrowed, "ec2")
        ec2.describe_regions()
        self.expect_code("UnauthorizedOperation", ec2.describe_instances)
        chained = self.session_client(credentials, "sts")
        chained.assume_role(RoleArn=arn, RoleSessionName="tt", ExternalId="secret-word")
        self.iam.update_role(RoleName="worker", MaxSessionDuration=7200)
        self.expect_code("ValidationError", chained.assume_role, RoleArn=arn, RoleSessionName="tt",
                         ExternalId="secret-word", DurationSeconds=7200)
        self.iam.delete_role_policy(RoleName="worker", PolicyName="p")
        self.iam.delete_role(RoleName="worker")
        self.expect_code("UnauthorizedOperation", self.session_client(credentials, "ec2").describe_instances)

    def test_session_token(self):
        key = self.user_with("temporary", allow("*"))
        credentials = self.session_client(key, "sts").get_session_token(DurationSeconds=900)["Credentials"]
        base.only_instance(self.session_client(credentials, "ec2"))
        self.expect_code("InvalidClientTokenId", self.session_client(credentials, "iam").list_roles, status=403)
        self.expect_code("AccessDenied", self.session_client(credentials, "sts").get_session_token)
        self.assertEqual(self.server.client("sts").get_access_key_info(AccessKeyId=key["AccessKeyId"])["Account"],
                         "000000000000")


class Parameters(Case):
    def setUp(self):
        self.ssm = self.server.client("ssm")

    def test_life_of_a_parameter(self):
        ssm = self.ssm
        self.assertEqual(ssm.put_parameter(Name="/a/b", Value="1", Type="String")["Version"], 1)
        self.expect_code("ParameterAlreadyExists", ssm.put_parameter, Name="/a/b", Value="2", Type="String")
        self.assertEqual(ssm.put_parameter(Name="/a/b", Value="2", Overwrite=True)["Version"], 2)
        got = ssm.get_parameter(Name="/a/b")["Parameter"]
        self.assertEqual((got["Value"], got["ARN"]), ("2", "arn:aws:ssm:us-west-2:000000000000:parameter/a/b"))
        self.assertEqual(ssm.get_parameter(Name="/a/b:1")["Parameter"]["Value"], "1")
        self.assertEqual([p["Value"] for p in ssm.get_parameter_history(Name="/a/b")["Parameters"]], ["1", "2"])
        ssm.put_parameter(Name="/a/c/d", Value="hidden", Type="SecureString")
        self.assertNotEqual(ssm.get_parameter(Name="/a/c/d")["Parameter"]["Value"], "hidden")
        self.assertEqual(ssm.get_parameter(Name="/a/c/d", WithDecryption=True)["Parameter"]["Value"], "hidden")
        self.assertEqual(len(ssm.get_parameters_by_path(Path="/a")["Parameters"]), 1)
        pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/a", Recursive=True,
                                                                     PaginationConfig={"PageSize": 1})
        self.assertEqual([len(page["Parameters"]) for page in pages], [1, 1])
        both = ssm.get_parameters(Names=["/a/b", "/none"])
        self.assertEqual((len(both["Parameters"]), both["InvalidParameters"]), (1, ["/none"]))
        described = ssm.describe_parameters(ParameterFilters=[{"Key": "Type", "Values": ["SecureString"]}])["Parameters"]
        self.assertEqual([p["Name"] for p in described], ["/a/c/d"])
        self.assertEqual(ssm.delete_parameters(Names=["/a/b", "/a/c/d", "/none"])["InvalidParameters"], ["/none"])
        self.expect_code("ParameterNotFound", ssm.delete_parameter, Name="/a/b", status=400)
        self.expect_code("ParameterNotFound", ssm.get_parameter, Name="/a/b")

    def test_public_parameters(self):
        names = self.ssm.get_parameters_by_path(Path="/aws/service/global-infrastructure/regions")["Parameters"]
        self.assertEqual(len(names), 10)
        images = self.ssm.get_parameters_by_path(Path="/aws/service/ami-amazon-linux-latest")["Parameters"]
        for image in images:
            found = self.server.client("ec2").describe_images(ImageIds=[image["Value"]])["Images"][0]
            self.assertEqual(found["ImageOwnerAlias"], "amazon")
        self.expect_code("AccessDeniedException", self.ssm.put_parameter, Name="/aws/x", Value="1", Type="String")


class Prices(Case):
    def test_products(self):
        pricing = self.server.client("pricing", "us-east-1")
        services = {s["ServiceCode"] for s in pricing.describe_services()["Services"]}
        self.assertIn("AmazonEC2", services)
        values = pricing.get_attribute_values(ServiceCode="AmazonEC2", AttributeName="instanceType")["AttributeValues"]
        self.assertIn({"Value": "t3.micro"}, values)
        found = pricing.get_products(ServiceCode="AmazonEC2", Filters=[
            {"Type": "TERM_MATCH", "Field": "instanceType", "Value": "t3.micro"},
            {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "us-east-1"}])["PriceList"]
        self.assertEqual(len(found), 1)
        terms = json.loads(found[0])["terms"]["OnDemand"]
        dimension = next(iter(next(iter(terms.values()))["priceDimensions"].values()))
        self.assertEqual((dimension["unit"], dimension["pricePerUnit"]["USD"]), ("Hrs", "0.0104"))
        pages = list(pricing.get_paginator("get_products").paginate(ServiceCode="AmazonEC2",
                                                                    PaginationConfig={"PageSize": 50}))
        self.assertGreater(len(pages), 2)
        for field in ["colour"]:
            self.expect_code("InvalidParameterException", pricing.get_products, ServiceCode="AmazonEC2",
                             Filters=[{"Type": "TERM_MATCH", "Field": field, "Value": "x"}])
        self.expect_code("InvalidParameterException", pricing.describe_services, ServiceCode="AmazonNothing")

    def test_has_three_homes(self):
        self.expect_code("InvalidSignatureException", self.server.client("pricing", "us-west-2").describe_services)


class Schedules(Case):
    TARGET = "arn:aws:scheduler:::aws-sdk:ec2:stopInstances"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.iam.create_role(RoleName="stop", AssumeRolePolicyDocument=TRUST)
        cls.iam.put_role_policy(RoleName="stop", PolicyName="p", PolicyDocument=policy(allow("ec2:StopInstances")))
        cls.role = "arn:aws:iam::000000000000:role/stop"

    def setUp(self):
        self.scheduler = self.server.client("scheduler")

    def arguments(self, name, expression, target=None, **more):
        return {"Name": name, "ScheduleExpression": expression, "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {"Arn": target or self.TARGET, "RoleArn": self.role, "Input": '{"InstanceIds":["i-1"]}'},
                **more}

    def test_life_of_a_schedule(self):
        scheduler = self.scheduler
        later = self.arguments("one", "cron(0 3 * * ? *)")
        arn = scheduler.create_schedule(**later)["ScheduleArn"]
        self.assertEqual(arn, "arn:aws:scheduler:us-west-2:000000000000:schedule/default/one")
        self.expect_code("ConflictException", scheduler.create_schedule, status=409, **later)
        got = scheduler.get_schedule(Name="one")
        self.assertEqual((got["State"], got["ScheduleExpression"], got["GroupName"]),
                         ("ENABLED", "cron(0 3 * * ? *)", "default"))
        scheduler.update_schedule(**self.arguments("one", "rate(2 hours)", State="DISABLED"))
        self.assertEqual(scheduler.get_schedule(Name="one")["State"], "DISABLED")
        pages = list(scheduler.get_paginator("list_schedules").paginate(NamePrefix="one"))
        self.assertEqual([s["Name"] for page in pages for s in page["Schedules"]], ["one"])
        scheduler.delete_schedule(Name="one")
        self.expect_code("ResourceNotFoundException", scheduler.get_schedule, Name="one", status=404)

    def test_groups(self):
        scheduler = self.scheduler
        arn = scheduler.create_schedule_group(Name="g", Tags=[{"Key": "a", "Value": "b"}])["ScheduleGroupArn"]
        scheduler.create_schedule(**self.arguments("in-g", "rate(1 day)", GroupName="g", State="DISABLED"))
        self.assertEqual(scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "a", "Value": "b"}])
        scheduler.tag_resource(ResourceArn=arn, Tags=[{"Key": "c", "Value": "d"}])
        scheduler.untag_resource(ResourceArn=arn, TagKeys=["a"])
        self.assertEqual(scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "c", "Value": "d"}])
        self.assertEqual({g["Name"] for g in scheduler.list_schedule_groups()["ScheduleGroups"]}, {"default", "g"})
        self.assertEqual(scheduler.get_schedule_group(Name="g")["State"], "ACTIVE")
        scheduler.delete_schedule_group(Name="g")
        self.expect_code("ResourceNotFoundException", scheduler.get_schedule, Name="in-g", GroupName="g")

    def test_refuses(self):
        for arguments in [self.arguments("bad", "at(yesterday)"), self.arguments("bad", "at(2020-01-01T00:00:00)"),
                          self.arguments("bad", "rate(0 minutes)"), self.arguments("bad", "cron(0 0 1 * 1 *)"),
                          self.arguments("bad", "rate(1 day)", target="arn:aws:lambda:us-west-2:000000000000:function:f"),
                          self.arguments("bad", "rate(1 day)", target="arn:aws:scheduler:::aws-sdk:ec2:describeInstances"),
                          self.arguments("bad", "rate(1 day)", ScheduleExpressionTimezone="Europe/Paris")]:
            self.expect_code("ValidationException", self.scheduler.create_schedule, status=400, **arguments)
        other = self.arguments("bad", "rate(1 day)")
        other["Target"]["RoleArn"] = "arn:aws:iam::000000000000:role/parallax-NAVO"
        self.assertIn("assume the role", self.expect_code("ValidationException", self.scheduler.create_schedule, **other))

    def test_stops_an_instance_when_its_time_comes(self):
        ec2 = self.server.client("ec2")
        instance = base.only_instance(ec2)["InstanceId"]
        ec2.start_instances(InstanceIds=[instance])
        ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        when = (datetime.datetime.utcnow() + datetime.timedelta(seconds=3)).strftime("%Y-%m-%dT%H:%M:%S")
        arguments = self.arguments("stop", f"at({when})")
        arguments["Target"]["Input"] = json.dumps({"InstanceIds": [instance]})
        self.scheduler.create_schedule(**arguments)
        ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1, "MaxAttempts": 30})


if __name__ == "__main__":
    base.SERVER = sys.argv.pop(1)
    unittest.main(warnings="ignore")
