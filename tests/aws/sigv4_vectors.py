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
PATHS = ["/", "/", "/a/b", "/a//b/", "/a/./b/../c", "/with%20blank/x", "/tilde~-_.", "/schedules/my%2Fname"]
HEADERS = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"), ("X-Amz-Target", "AmazonSSM.SendCommand"),
           ("User-Agent", "parallax"), ("amz-sdk-invocation-id", "0f2b"), ("amz-sdk-request", "attempt=1; max=3"),
           ("X-Spaced", "  a   b \t c  "), ("Expect", "100-continue"), ("X-Amzn-Trace-Id", "Root=1")]


class FixedTime(datetime.datetime):
    instant = None

    @classmethod
    def utcnow(cls):
        return cls.instant


def vectors(rng, count):
    auth.datetime = type("module", (), {"datetime": FixedTime, "timedelta": datetime.timedelta})
    for _ in range(count):
        query = "&".join(f"{rng.choice('abcXYZ')}{rng.randrange(3)}={rng.choice(['', '1', '%20', 'z~', '2'])}"
                         for _ in range(rng.choice([0, 0, 0, 1, 4])))
        url = rng.choice(HOSTS) + rng.choice(PATHS) + ("?" + query if query else "")
        headers = rng.sample(HEADERS, rng.randrange(len(HEADERS)))
        body = "".join(rng.choice(string.printable + "äß€") for _ in range(rng.choice([0, 1, 40, 200])))
        instant = datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=rng.randrange(10**9))
        token = rng.choice(["", "IQoJb3JpZ2luX2VjE+/=="])
        access, secret = "AKID" + str(rng.randrange(10**6)), "secret/" + str(rng.randrange(10**9))
        region, service = rng.choice(["eu-west-3", "us-gov-west-1"]), rng.choice(["ec2", "ssm", "iam", "sts"])
        request = AWSRequest(method=rng.choice(["POST", "GET"]), url=url, headers=dict(headers), data=body.encode())
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
