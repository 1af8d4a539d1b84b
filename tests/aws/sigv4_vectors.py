#!/usr/bin/python3
"""Random requests signed by botocore, one JSON object a line: what our signer must agree with.

    tests/aws/sigv4_vectors.py > tests/aws/sigv4.jsonl
"""
import datetime
import json
import random
import string

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

COUNT = 60
HOSTS = ["https://ec2.eu-west-3.amazonaws.com", "http://127.0.0.1:4566", "https://localhost:8443",
         "http://localhost:80", "https://ssm.us-gov-west-1.amazonaws.com:443"]
SEGMENTS = ["", "", ".", "..", "a", "B", "with%20blank", "%C3%A4", "ä€", "my%2Fname", "tilde~-_.", "a+b", "x=y", "a:b@c", "*",
            "%7E", ";,!$'()", "schedules", "...", "%2e%2e", "😀"]
NAMES = ["a", "a", "A", "b", "Z", "a-b", "a%20b", "%C3%BC", "ü", "Action", "", "a.b", "_", "~"]
VALUES = ["", "", "1", "2", "10", "%20", "z~", "a=b", "ü", "%2F", "+", "*", "%C3%BC", "Zz", "%25"]
HEADERS = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"), ("X-Amz-Target", "AmazonSSM.SendCommand"),
           ("User-Agent", "parallax"), ("amz-sdk-invocation-id", "0f2b"), ("amz-sdk-request", "attempt=1; max=3"),
           ("X-Spaced", "  a   b \t c  "), ("Expect", "100-continue"), ("X-Amzn-Trace-Id", "Root=1"), ("X-Many", "b"),
           ("x-many", " a  a "), ("X-MANY", ""), ("X-Empty", ""), ("X-Comma", "a, b,c"), ("If-None-Match", '"x  y"'),
           ("x-amz-meta-Note", "n"), ("Range", "bytes=0-9"), ("X-Tab", "\ta\t"), ("Accept", "*/*")]
SERVICES = ["ec2", "ssm", "iam", "sts", "scheduler", "monitoring", "pricing"]
REGIONS = ["eu-west-3", "us-gov-west-1", "cn-north-1", "us-east-1"]


class FixedTime(datetime.datetime):
    instant = None

    @classmethod
    def utcnow(cls):
        return cls.instant


def target(rng):
    """A path, and a query in half of the cases, as a URL may have them."""
    path = "/" + "/".join(rng.choice(SEGMENTS) for _ in range(rng.choice([0, 0, 1, 2, 5])))
    pairs = [rng.choice(NAMES) + rng.choice(["=", "=", "=", ""]) for _ in range(rng.choice([0, 0, 0, 1, 2, 6]))]
    query = "&".join(pair + rng.choice(VALUES) if pair.endswith("=") else pair for pair in pairs)
    return path + ("?" + query if query else "")


def vectors(rng, count):
    auth.datetime = type("module", (), {"datetime": FixedTime, "timedelta": datetime.timedelta})
    for _ in range(count):
        url = rng.choice(HOSTS) + target(rng)
        headers = rng.sample(HEADERS, rng.randrange(len(HEADERS)))
        body = "".join(rng.choice(string.printable + "äß€") for _ in range(rng.choice([0, 1, 40, 200])))
        instant = datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=rng.randrange(10**9))
        token = rng.choice(["", "IQoJb3JpZ2luX2VjE+/=="])
        access, secret = "AKID" + str(rng.randrange(10**6)), "secret/" + str(rng.randrange(10**9))
        region, service = rng.choice(REGIONS), rng.choice(SERVICES)
        method = rng.choice(["POST", "GET", "PUT", "DELETE", "HEAD", "PATCH"])
        request = AWSRequest(method=method, url=url, data=body.encode())
        for name, value in headers:
            request.headers.add_header(name, value)
        FixedTime.instant = instant
        signer = auth.SigV4Auth(Credentials(access, secret, token or None), service, region)
        signer.add_auth(request)
        yield {
            "method": request.method, "url": url, "headers": [list(header) for header in headers], "body": body,
            "access": access, "secret": secret, "token": token, "region": region, "service": service,
            "time": instant.strftime("%Y-%m-%dT%H:%M:%SZ"), "authorization": request.headers["Authorization"],
        }


def main():
    for vector in vectors(random.Random(20261122), COUNT):
        print(json.dumps(vector))


if __name__ == "__main__":
    main()
