#!/usr/bin/env python3
"""Writes tests/aws/endpoints.jsonl: where botocore says that our services are, in all regions, with and without FIPS and
dual stack.

    python3 tests/aws/endpoint_vectors.py > tests/aws/endpoints.jsonl        (a botocore with endpoint rule sets)
    /usr/bin/python3 tests/aws/endpoint_vectors.py --table >> tests/aws/endpoints.jsonl    (Debian's: its endpoint table)

A line has "url": null where botocore refuses. endpoint_test.cc lists what differs on purpose.
"""
import json
import sys

import botocore.loaders
import botocore.regions

SERVICES = {"ec2": ("ec2", "EC2"), "iam": ("iam", "IAM"), "sts": ("sts", "STS"), "ssm": ("ssm", "SSM"),
            "monitoring": ("cloudwatch", "CloudWatch"), "api.pricing": ("pricing", "Pricing"),
            "scheduler": ("scheduler", "Scheduler"), "portal.sso": ("sso", "SSO"), "oidc": ("sso-oidc", "SSO OIDC")}
# Names that no table has: newer regions of known patterns, and one that fits none.
NEW_REGIONS = ["eu-west-9", "mx-north-2", "cn-south-1", "us-gov-north-1", "us-isob-north-1", "eusc-de-west-2", "xx-new-1"]
VARIANTS = [(fips, dual) for fips in (False, True) for dual in (False, True)]


def write(by, prefix, region, fips, dual, legacy, url, signing):
    print(json.dumps({"by": by, "prefix": prefix, "service_id": SERVICES[prefix][1], "region": region, "fips": fips,
                      "dual": dual, "legacy": legacy, "url": url, "signing": signing}))


def regions_of(loader):
    found = []
    for partition in loader.load_data("endpoints")["partitions"]:
        found += sorted(partition["regions"])
    return found + NEW_REGIONS


def from_rules(loader):
    from botocore.endpoint_provider import EndpointProvider
    from botocore.exceptions import EndpointProviderError
    partitions = loader.load_data("partitions")
    for prefix, (name, _) in SERVICES.items():
        rules = EndpointProvider(loader.load_service_model(name, "endpoint-rule-set-1"), partitions)
        for region in regions_of(loader):
            for fips, dual in VARIANTS:
                for legacy in ((False, True) if prefix == "sts" else (False,)):
                    given = dict(Region=region, UseFIPS=fips, UseDualStack=dual)
                    if prefix == "sts":
                        given["UseGlobalEndpoint"] = legacy
                    try:
                        endpoint = rules.resolve_endpoint(**given)
                    except EndpointProviderError:
                        write("rules", prefix, region, fips, dual, legacy, None, None)
                        continue
                    schemes = endpoint.properties.get("authSchemes") or [{}]
                    write("rules", prefix, region, fips, dual, legacy, endpoint.url,
                          schemes[0].get("signingRegion", region))


def from_table(loader):
    resolver = botocore.regions.EndpointResolver(loader.load_data("endpoints"))
    for prefix in SERVICES:
        for partition in resolver.get_available_partitions():
            for region in loader.load_data("endpoints")["partitions"][
                    resolver.get_available_partitions().index(partition)]["regions"]:
                endpoint = resolver.construct_endpoint(prefix, region, partition)
                if endpoint:
                    write("table", prefix, region, False, False, False, "https://" + endpoint["hostname"],
                          endpoint.get("credentialScope", {}).get("region", region))


if __name__ == "__main__":
    (from_table if "--table" in sys.argv else from_rules)(botocore.loaders.Loader())
