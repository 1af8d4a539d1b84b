#!/usr/bin/env python3
"""Writes data/aws-endpoints.json from the partitions and endpoint rules of an installed botocore.

    python3 tools/aws_endpoints.py > data/aws-endpoints.json       (needs a botocore with endpoint rule sets)

For each service that we speak to, only what differs from the general pattern
    {prefix}[-fips].{region}.{suffix or dual-stack suffix}
is written down: hosts by partition and variant ("", "fips", "dual", "both"); null where there is none.
"""
import json
import pathlib
import re
import sys

import botocore
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError
from botocore.loaders import Loader

SERVICES = {"ec2": "ec2", "iam": "iam", "sts": "sts", "ssm": "ssm", "monitoring": "cloudwatch", "api.pricing": "pricing",
            "scheduler": "scheduler", "portal.sso": "sso", "oidc": "sso-oidc"}
VARIANTS = {"": (False, False), "fips": (True, False), "dual": (False, True), "both": (True, True)}
# Price lists: the nearest region that serves them, by the first word of the region's name.
PRICING_NEAREST = {"ap": "ap-south-1", "eu": "eu-central-1", "af": "eu-central-1", "me": "eu-central-1", "il": "eu-central-1"}


def general(prefix, variant, partition):
    outputs = partition["outputs"]
    suffix = outputs["dualStackDnsSuffix" if variant in ("dual", "both") else "dnsSuffix"]
    return "%s%s.{region}.%s" % (prefix, "-fips" if variant in ("fips", "both") else "", suffix)


def main():
    loader = Loader()
    partitions = loader.load_data("partitions")
    table = loader.load_data("endpoints")
    out = {"source": "botocore " + botocore.__version__, "partitions": [], "services": {}}
    for partition in partitions["partitions"]:
        heads = re.fullmatch(r"\^\(?([^()]*)\)?(?:\\-\((\w+)\))?\\-\\w\+\\-\\d\+\$", partition["regionRegex"])
        words = [word.replace("\\", "") for word in heads.group(1).split("|")]
        outputs = partition["outputs"]
        out["partitions"].append({
            "id": partition["id"],
            "heads": [word + ("-" + heads.group(2) if heads.group(2) else "") for word in words],
            "suffix": outputs["dnsSuffix"],
            "dual_stack_suffix": outputs["dualStackDnsSuffix"],
            "main_region": outputs["implicitGlobalRegion"],
            "regions": sorted(name for name in partition["regions"] if not name.endswith("-global")),
        })
    for prefix, name in SERVICES.items():
        rules = EndpointProvider(loader.load_service_model(name, "endpoint-rule-set-1"), partitions)
        service = {"hosts": {}}
        for partition in partitions["partitions"]:
            region = partition["outputs"]["implicitGlobalRegion"]
            for variant, (fips, dual) in VARIANTS.items():
                try:
                    endpoint = rules.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dual)
                    host = endpoint.url.removeprefix("https://")
                    schemes = endpoint.properties.get("authSchemes")
                    if schemes and not variant:
                        service.setdefault("signing_region", {})[partition["id"]] = schemes[0]["signingRegion"]
                    if not schemes:
                        host = host.replace(region, "{region}")
                except EndpointProviderError:
                    host = None
                if host != general(prefix, variant, partition):
                    service["hosts"].setdefault(partition["id"], {})[variant] = host
        out["services"][prefix] = service
    pricing = {}
    for partition in table["partitions"]:
        served = sorted(partition["services"].get("api.pricing", {}).get("endpoints", {}))
        pricing[partition["partition"]] = {"served": served, "nearest": PRICING_NEAREST if len(served) > 1 else {}}
    out["services"]["api.pricing"]["regions"] = pricing
    sts = loader.load_service_model("sts", "endpoint-rule-set-1")
    legacy = [rule["conditions"][0]["argv"][1] for rule in sts["rules"][0]["rules"] if rule["conditions"]]
    out["services"]["sts"]["legacy_regions"] = [name for name in legacy if name != "aws-global"]
    out["services"]["sts"].pop("signing_region", None)
    text = json.dumps(out, indent=1)
    # Short lists on one line.
    text = re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m.group(1)) + "]", text)
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
