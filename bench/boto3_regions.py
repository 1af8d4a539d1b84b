#!/usr/bin/python3
"""What people write with boto3: DescribeInstances in region after region. Prints seconds, without Python's own start.

    boto3_regions.py
"""
import os
import time

import boto3

start = time.perf_counter()
session = boto3.Session()
ec2 = session.client("ec2", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
count = 0
for region in sorted(region["RegionName"] for region in ec2.describe_regions()["Regions"]):
    client = session.client("ec2", region_name=region, endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    for reservation in client.describe_instances()["Reservations"]:
        count += len(reservation["Instances"])
print(time.perf_counter() - start, count)
