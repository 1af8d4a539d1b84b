#!/usr/bin/python3
"""Compares our credential chain with botocore's: the same home directory, configuration and environment given to both.

    tests/aws/auth_oracle.py PATH/aws_auth_tool [--seed N] [--cases N] [--only N]

Each case is drawn at random from what people configure, right and wrong; the fake STS, SSO, container and metadata
services run on loopback inside this program. What differs on purpose is in `excused`, with the reason.
"""
import argparse
import datetime
import hashlib
import http.server
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import urllib.parse

import botocore.session
import botocore.utils

SECRET = "hushhush"  # part of every secret; must be in no message
PROFILES = ["default", "a", "b", "c"]
METHODS = {"env": "environment", "assume-role": "(assume role", "assume-role-with-web-identity": "web identity",
           "sso": "SSO", "shared-credentials-file": "credentials", "custom-process": "credential_process",
           "config-file": "config", "container-role": "container", "iam-role": "IMDS",
           "ec2-credentials-file": "AWS_CREDENTIAL_FILE", "boto-config": "boto"}


def keys_for(what):
    digest = hashlib.sha1(what.encode()).hexdigest().upper()[:16]
    return {"id": "ASIA" + digest, "secret": SECRET + digest.lower(), "token": SECRET + "tok" + digest}


def in_an_hour():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(hours=1)


def stamp(when):
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


class Services(http.server.BaseHTTPRequestHandler):
    """All fake services; the first part of the path tells which."""

    def answer(self, status, body, content_type="application/json", headers=()):
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()

    def do_POST(self):
        body = self.body()
        if self.path.endswith("/token"):
            return self.create_token(json.loads(body))
        form = dict(urllib.parse.parse_qsl(body))
        role = form.get("RoleArn", "")
        if "denied" in role:
            return self.answer(403, "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no "
                               + form.get("WebIdentityToken", "") + "</Message></Error></ErrorResponse>", "text/xml")
        session = form.get("RoleSessionName", "")
        made_up = session.startswith(("botocore-session-", "parallax-"))
        authorization = self.headers.get("Authorization", "")
        signer = authorization.partition("Credential=")[2].partition("/")[0]
        keys = keys_for("|".join([form["Action"], role, "" if made_up else session, form.get("ExternalId", ""),
                                  form.get("DurationSeconds", ""), form.get("WebIdentityToken", "").strip(), signer]))
        self.answer(200, "<{0}Response><{0}Result><Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{secret}"
                    "</SecretAccessKey><SessionToken>{token}</SessionToken><Expiration>{1}</Expiration></Credentials>"
                    "<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn><AssumedRoleId>X:s"
                    "</AssumedRoleId></AssumedRoleUser></{0}Result><ResponseMetadata><RequestId>r</RequestId>"
                    "</ResponseMetadata></{0}Response>".format(form["Action"], stamp(in_an_hour()), **keys), "text/xml")

    def create_token(self, form):
        if form["refreshToken"] != SECRET + "refresh":
            return self.answer(400, '{"error":"invalid_grant"}', headers=[("x-amzn-errortype", "InvalidGrantException")])
        self.answer(200, json.dumps({"accessToken": SECRET + "fresh", "expiresIn": 3600, "tokenType": "Bearer"}))

    def do_PUT(self):
        self.body()
        kind = self.path.split("/")[1]
        status = {"imds2": 200, "imds400": 400, "imds1": 404}.get(kind, 403)
        self.answer(status, "session-token" if status == 200 else "", "text/plain")

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        kind = url.path.split("/")[1]
        if "/federation/credentials" in url.path:
            return self.role_credentials(dict(urllib.parse.parse_qsl(url.query)))
        if kind == "container":
            keys = keys_for("container" + self.headers.get("Authorization", ""))
            return self.answer(200, json.dumps({"AccessKeyId": keys["id"], "SecretAccessKey": keys["secret"],
                                                "Token": keys["token"], "Expiration": stamp(in_an_hour())}))
        if kind.startswith("imds"):
            return self.metadata(kind, url.path)
        self.answer(404, "{}")

    def role_credentials(self, query):
        token = self.headers.get("x-amz-sso_bearer_token", "")
        if SECRET not in token or "bad" in token:
            return self.answer(401, '{"message":"%s"}' % token, headers=[("x-amzn-errortype", "UnauthorizedException")])
        keys = keys_for("sso" + token + query["role_name"] + query["account_id"])
        self.answer(200, json.dumps({"roleCredentials": {
            "accessKeyId": keys["id"], "secretAccessKey": keys["secret"], "sessionToken": keys["token"],
            "expiration": int(in_an_hour().timestamp() * 1000)}}))

    def metadata(self, kind, path):
        token = self.headers.get("x-aws-ec2-metadata-token")
        if kind == "imdsnone" or (kind == "imds2" and token != "session-token"):
            return self.answer(404 if kind == "imdsnone" else 401, "", "text/plain")
        if path.endswith("/security-credentials/"):
            return self.answer(200, "fleet-role", "text/plain")
        if kind == "imdsbroken":
            return self.answer(200, '{"Code":"AssumeRoleUnauthorizedAccess","Message":"no trust"}')
        keys = keys_for("imds")
        self.answer(200, json.dumps({"Code": "Success", "AccessKeyId": keys["id"], "SecretAccessKey": keys["secret"],
                                     "Token": keys["token"], "Expiration": stamp(in_an_hour())}))


class Case:
    """One home directory and environment."""

    def __init__(self, seed, home, base):
        self.rng = random.Random(seed)
        self.home = pathlib.Path(home)
        self.base = base
        self.environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "AWS_ENDPOINT_URL_STS": base + "/sts",
                            "AWS_ENDPOINT_URL_SSO": base + "/sso", "AWS_ENDPOINT_URL_SSO_OIDC": base + "/oidc",
                            "AWS_STS_REGIONAL_ENDPOINTS": "regional"}
        self.config, self.credentials, self.extra = {}, {}, {}
        self.explicit = None
        (self.home / ".aws/sso/cache").mkdir(parents=True)
        self.draw()
        self.write()

    def some(self, chance):
        return self.rng.random() < chance

    def draw(self):
        rng = self.rng
        if self.some(0.85):
            self.environment["AWS_DEFAULT_REGION"] = "eu-west-3"
        if self.some(0.2):
            self.environment["AWS_ACCESS_KEY_ID"] = "AKIAENV"
            if self.some(0.85):
                self.environment["AWS_SECRET_ACCESS_KEY"] = SECRET + "env"
            if self.some(0.4):
                self.environment[rng.choice(["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"])] = SECRET + "envtok"
            if self.some(0.2):
                self.environment["AWS_CREDENTIAL_EXPIRATION"] = stamp(in_an_hour())
        if self.some(0.4):
            self.environment[rng.choice(["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])] = rng.choice(PROFILES + ["missing"])
        elif self.some(0.3):
            self.explicit = rng.choice(PROFILES)
        for profile in PROFILES:
            self.draw_profile(profile)
        if self.some(0.25):
            self.draw_role_chain()
        self.draw_environment()

    def draw_role_chain(self):
        """a -> b -> c, each in order, which chance alone seldom makes."""
        self.explicit = "a"
        for profile, source in (("a", "b"), ("b", "c")):
            role = self.role()
            role.pop("credential_source", None)
            self.config[profile] = dict(role, source_profile=source, role_arn="arn:aws:iam::1:role/" + profile)
            self.credentials.pop(profile, None)
        self.config.pop("c", None)
        self.credentials["c"] = self.static("Sc")

    def draw_environment(self):
        rng = self.rng
        if self.some(0.1):
            self.environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = self.token_file()
            if self.some(0.8):
                self.environment["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/env-web"
        if self.some(0.15):
            self.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = rng.choice(
                [self.base + "/container/keys", self.base + "/container/keys?id=1", "http://192.0.2.1/keys"])
            if self.some(0.5):
                self.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = rng.choice(
                    [SECRET + "auth", "Bearer " + SECRET])
        kind = rng.choice(["off", "imds2", "imds1", "imdsnone", "imdsbroken", "imds400"])
        if kind == "off":
            self.environment["AWS_EC2_METADATA_DISABLED"] = "TRUE"
        else:
            self.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = self.base + "/" + kind + rng.choice(["", "/"])
        if self.some(0.08):
            (self.home / ".boto").write_text("[Credentials]\naws_access_key_id = AKIABOTO\naws_secret_access_key = %s\n" % SECRET)
        if self.some(0.05):
            (self.home / "old").write_text("AWSAccessKeyId=AKIAOLD\nAWSSecretKey=%sold\n" % SECRET)
            self.environment["AWS_CREDENTIAL_FILE"] = "~/old"

    def token_file(self):
        path = self.home / "token"
        path.write_text(SECRET + "web")
        return str(path) if self.some(0.9) else str(self.home / "no-token")

    def draw_profile(self, profile):
        rng = self.rng
        section = {}
        for kind in rng.sample(["shared", "config", "role", "role", "role", "web", "process", "sso", "old-sso", "nested"],
                               rng.choice([0, 1, 1, 1, 2])):
            if kind == "shared":
                self.credentials[profile] = self.static("S" + profile)
            elif kind == "config":
                section.update(self.static("C" + profile))
            elif kind == "role":
                section.update(self.role())
            elif kind == "web":
                section["web_identity_token_file"] = self.token_file()
                if self.some(0.8):
                    section["role_arn"] = "arn:aws:iam::1:role/web-" + profile
            elif kind == "process":
                section["credential_process"] = self.process(profile)
            elif kind in ("sso", "old-sso"):
                section.update(self.sso(kind, profile))
            elif kind == "nested":
                section["s3"] = "\n  addressing_style = path\n  max = 3"
        if section or self.some(0.3):
            target = self.credentials if self.some(0.1) and profile not in self.credentials else self.config
            target[profile] = section

    def static(self, name):
        keys = {"aws_access_key_id": "AKIA" + name.upper()}
        if self.some(0.9):
            keys["aws_secret_access_key"] = SECRET + name
        if self.some(0.3):
            keys[self.rng.choice(["aws_session_token", "aws_security_token"])] = SECRET + "tok" + name
        return keys

    def role(self):
        rng = self.rng
        role = {"role_arn": "arn:aws:iam::1:role/" + rng.choice(["x", "y", "denied"] if self.some(0.3) else ["x", "y"])}
        if self.some(0.75):
            role["source_profile"] = rng.choice(PROFILES * 3 + ["missing"])
        if self.some(0.1 if "source_profile" in role else 0.9):
            role["credential_source"] = rng.choice(["Environment", "Ec2InstanceMetadata", "EcsContainer", "environment"])
        for key, value in (("external_id", "ext \u00e4"), ("role_session_name", "me"), ("duration_seconds", "1800")):
            if self.some(0.25):
                role[key] = value
        return role

    def process(self, profile):
        rng = self.rng
        keys = keys_for("process" + profile)
        document = {"Version": rng.choice([1, 1, 1, 1, 2]), "AccessKeyId": keys["id"], "SecretAccessKey": keys["secret"]}
        if self.some(0.6):
            document["SessionToken"] = keys["token"]
            document["Expiration"] = rng.choice([stamp(in_an_hour()), in_an_hour().isoformat()])
        if self.some(0.1):
            del document["SecretAccessKey"]
        path = self.home / ("keys of " + profile)
        path.write_text(json.dumps(document))
        return rng.choice(['cat "%s"', "cat '%s'", "sh -c 'cat \"%s\"'", "sh -c 'cat \"%s\"; exit 1'"]) % path

    def sso(self, kind, profile):
        rng = self.rng
        url = "https://%s.example.org/start" % profile
        section = {"sso_role_name": "reader", "sso_account_id": "123456789012"}
        if self.some(0.1):
            del section["sso_role_name"]
        where = {"sso_region": "eu-west-1", "sso_start_url": url}
        if kind == "sso":
            section["sso_session"] = "corp-" + profile
            if self.some(0.9):
                self.extra["sso-session corp-" + profile] = where
            if self.some(0.2):
                section["sso_region"] = rng.choice(["eu-west-1", "eu-west-2"])
        else:
            section.update(where)
        state = rng.choice(["good", "good", "none", "old", "refreshable", "bad"])
        if state != "none":
            minutes = {"old": -5, "refreshable": 5}.get(state, 600)
            token = {"accessToken": SECRET + ("bad" if state == "bad" else "sso"), "startUrl": url,
                     "expiresAt": stamp(in_an_hour() + datetime.timedelta(minutes=minutes - 60))}
            if state == "refreshable":
                token.update(clientId="c", clientSecret=SECRET, refreshToken=SECRET + rng.choice(["refresh", "gone"]),
                             registrationExpiresAt=stamp(in_an_hour()))
            name = hashlib.sha1((section.get("sso_session") or url).encode()).hexdigest()
            (self.home / ".aws/sso/cache" / (name + ".json")).write_text(json.dumps(token))
        return section

    def write(self):
        def text(sections):
            return "".join("[%s]\n%s\n" % (name, "".join("%s = %s\n" % item for item in section.items()))
                           for name, section in sections)
        quote = '"%s"' if self.some(0.3) else "%s"
        header = [(name if name == "default" else "profile " + quote % name, section)
                  for name, section in self.config.items()]
        (self.home / ".aws/config").write_text("# a comment\n" + text(header + list(self.extra.items())))
        (self.home / ".aws/credentials").write_text(text(self.credentials.items()))

    def describe(self):
        lines = ["environment: " + json.dumps(self.environment), "explicit profile: %s" % self.explicit]
        for name in ("config", "credentials"):
            lines += ["--- " + name, (self.home / ".aws" / name).read_text()]
        return "\n".join(lines)


def botocore_says(case, cached=False):
    """In a child, since botocore reads the environment and home at import and load. With `cached` roles are kept in
    files, as the AWS CLI has it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.environ.clear()
            os.environ.update(case.environment)
            answer = json.dumps(ask_botocore(case, cached))
        except BaseException as problem:  # noqa: BLE001: whatever it raises is the answer
            answer = json.dumps({"error": "%s: %s" % (type(problem).__name__, problem)})
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return json.loads(answer)


def ask_botocore(case, cached):
    import botocore.credentials
    import botocore.tokens
    cache = str(case.home / ".aws/sso/cache")
    botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR = cache
    botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR = cache
    botocore.credentials.time.sleep = lambda _: None
    botocore.utils.time.sleep = lambda _: None
    session = botocore.session.Session(profile=case.explicit)
    create = session.create_client

    def create_client(name, *args, **kwargs):
        kwargs["endpoint_url"] = case.environment["AWS_ENDPOINT_URL_" + name.upper().replace("-", "_")]
        return create(name, *args, **kwargs)

    session.create_client = create_client
    if cached:
        resolver = session.get_component("credential_provider")
        resolver.get_provider("assume-role").cache = botocore.utils.JSONFileCache(str(case.home / ".aws/cli/cache"))
    # What every client does first; get_credentials() alone would not notice a profile that does not exist.
    session.get_scoped_config()
    credentials = session.get_credentials()
    if credentials is None:
        return {"error": "none", "none": True}
    frozen = credentials.get_frozen_credentials()
    return {"id": frozen.access_key, "secret_hash": hashlib.sha256(frozen.secret_key.encode()).hexdigest(),
            "token_hash": hashlib.sha256((frozen.token or "").encode()).hexdigest(), "method": credentials.method}


def ours_says(tool, case):
    command = [tool, "credentials"] + (["--profile", case.explicit] if case.explicit else [])
    done = subprocess.run(command, env=case.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=100,
                          check=False)
    output = done.stdout.decode()
    if done.returncode != 0 or not output:
        return {"error": "the tool failed: %d %s" % (done.returncode, done.stderr.decode()[-500:]), "broken": True}
    if SECRET in output + done.stderr.decode():
        return {"error": "a secret is in: " + output, "broken": True}
    return json.loads(output)


def excused(theirs, ours):
    """What differs on purpose."""
    error = theirs.get("error", "")
    # Without a region we ask the STS of the role's partition's main region.
    if "NoRegionError" in error and ("(assume role" in ours["source"] or "web identity" in ours["source"]):
        return True
    # Debian's botocore sends an expired token of the old form and lets the portal refuse it; ours and the newer one say so
    # at once. With our fake portal the expired token would even work.
    return "the SSO token has expired" in ours.get("error", "") and theirs.get("method") == "sso"


def problem_of(theirs, ours):
    if ours.get("broken"):
        return "broken"
    if ("error" in theirs) != ("error" in ours):
        return None if excused(theirs, ours) else "one gives keys, the other an error"
    if "error" in theirs:
        return "none or an error" if theirs.get("none") and ours["code"] != "no-credentials" else None
    for name in ("id", "secret_hash", "token_hash"):
        if theirs[name] != ours[name]:
            return "another " + name
    return None if METHODS[theirs["method"]] in ours["source"] else "another source"


def cache_problem(case, tool, theirs):
    """Whether each finds the role's keys that the other one has left in the CLI's cache, with no STS to ask."""
    cache = case.home / ".aws/cli/cache"
    sts = case.environment["AWS_ENDPOINT_URL_STS"]
    for first, second in (("botocore", "ours"), ("ours", "botocore")):
        for file in cache.glob("*"):
            file.unlink()
        for who, endpoint in ((first, sts), (second, "http://127.0.0.1:9")):
            case.environment["AWS_ENDPOINT_URL_STS"] = endpoint
            case.environment["AWS_MAX_ATTEMPTS"] = "1"
            said = botocore_says(case, cached=True) if who == "botocore" else ours_says(tool, case)
            if said.get("id") != theirs["id"]:
                return "the cache of %s does not serve %s: %s" % (first, second, said)
        if any(file.stat().st_mode & 0o077 for file in cache.glob("*")):
            return "others can read the cache"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tool")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=150)
    parser.add_argument("--only", type=int)
    arguments = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Services)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = "http://127.0.0.1:%d" % server.server_port
    failures, found, sources = 0, 0, {}
    numbers = [arguments.only] if arguments.only is not None else range(arguments.cases)
    for number in numbers:
        with tempfile.TemporaryDirectory() as home:
            case = Case(arguments.seed * 1_000_003 + number, home, base)
            theirs = botocore_says(case)
            ours = ours_says(arguments.tool, case)
            problem = problem_of(theirs, ours)
            if not problem and theirs.get("method") == "assume-role":
                problem = cache_problem(case, arguments.tool, theirs)
            found += "id" in ours
            method = theirs.get("method", "none" if theirs.get("none") else "error")
            sources[method] = sources.get(method, 0) + 1
            if problem or arguments.only is not None:
                failures += bool(problem)
                print("case %d: %s\n  botocore: %s\n  ours:     %s\n%s" % (number, problem, theirs, ours, case.describe()))
        if failures >= 5:
            break
    server.shutdown()
    print("botocore %s: %d cases, %d with keys, %d differ; %s" % (botocore.__version__, len(numbers), found, failures,
                                                               json.dumps(sources)))
    return 1 if failures or (arguments.only is None and found < arguments.cases // 4) else 0


if __name__ == "__main__":
    sys.exit(main())
