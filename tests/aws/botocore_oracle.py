#!/usr/bin/python3
"""Compares our AWS codecs with botocore's own on random inputs drawn from the service models.

    tests/aws/botocore_oracle.py PATH/aws_codec_tool [--seed N] [--rounds N]

Every operation of every service that we embed is serialised and has an answer parsed, `rounds` times; so are error
documents and signatures. The first differences are printed with what is needed to repeat them.
"""
import argparse
import base64
import datetime
import json
import pathlib
import random
import subprocess
import sys
import urllib.parse
from xml.sax.saxutils import escape

import botocore.loaders
from botocore.model import ServiceModel
from botocore.parsers import ResponseParserFactory
from botocore.serialize import create_serializer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import sigv4_vectors  # noqa: E402: from beside this file

VERSIONS = {"ec2": "2016-11-15", "ssm": "2014-11-06", "iam": "2010-05-08", "sts": "2011-06-15"}
# Our overlay gives these an output that this botocore does not know.
NEWER_OUTPUT = {("ec2", "DeleteKeyPair"), ("ec2", "DeregisterImage")}
ALPHABET = "abcXYZ019 .-_~!*'()+&=%/?#<>\"\\äß€\u2028"
DEPTH_MAX = 5


class Draw:
    """Random values of a shape, as our client takes and gives them: Json, blobs in base64, instants as ISO text."""

    def __init__(self, rng):
        self.rng = rng

    def text(self, least, most):
        length = min(max(least, self.rng.choice([0, 1, 3, 12])), most)
        return "".join(self.rng.choice(ALPHABET) for _ in range(length))

    def size(self, shape, default_most):
        least = int(shape.metadata.get("min", 0))
        most = int(shape.metadata.get("max", least + default_most))
        return least, max(least, min(most, least + default_most))

    def value(self, shape, depth=0, is_key=False):
        kind = shape.type_name
        rng = self.rng
        if kind == "structure":
            return self.structure(shape, depth)
        if kind == "list":
            least, most = self.size(shape, 3)
            return [self.value(shape.member, depth + 1) for _ in range(rng.randint(least, most))]
        if kind == "map":
            least, most = self.size(shape, 3)
            return {f"k{i}" + self.value(shape.key, is_key=True)[2:]: self.value(shape.value, depth + 1)
                    for i in range(rng.randint(max(least, 1), max(most, 1)))}
        if kind in ("string", "character"):
            least, most = self.size(shape, 12)
            choices = shape.metadata.get("enum")
            return rng.choice(choices) if choices else self.text(max(least, 4 if is_key else 0), max(most, 4 if is_key else 0))
        if kind in ("integer", "long"):
            least = int(shape.metadata.get("min", -1000))
            return rng.randint(least, int(shape.metadata.get("max", max(least, 0) + 10**9)))
        if kind in ("float", "double"):
            least = shape.metadata.get("min", 0)
            return round(rng.uniform(least, shape.metadata.get("max", least + 100)), 3)
        if kind == "boolean":
            return rng.random() < 0.5
        if kind == "blob":
            least, most = self.size(shape, 9)
            return base64.b64encode(rng.randbytes(rng.randint(least, most))).decode()
        if kind == "timestamp":
            return (datetime.datetime(2000, 1, 1) + datetime.timedelta(seconds=rng.randrange(10**9))).strftime("%Y-%m-%dT%H:%M:%SZ")
        raise AssertionError(kind)

    def structure(self, shape, depth):
        chance = 0.6 if depth < 2 else 0.3
        return {name: self.value(member, depth + 1) for name, member in shape.members.items()
                if name in shape.required_members or (depth < DEPTH_MAX and self.rng.random() < chance)}


def for_botocore(shape, value):
    """The same value as botocore's serialiser takes it."""
    kind = shape.type_name
    if kind == "structure":
        return {name: for_botocore(shape.members[name], inner) for name, inner in value.items()}
    if kind == "list":
        return [for_botocore(shape.member, inner) for inner in value]
    if kind == "map":
        return {key: for_botocore(shape.value, inner) for key, inner in value.items()}
    return base64.b64decode(value) if kind == "blob" else value


class XmlAnswer:
    """Writes a value as the service would, with strange elements and blanks mixed in."""

    def __init__(self, rng, protocol):
        self.rng = rng
        self.item = "item" if protocol == "ec2" else "member"

    def noise(self):
        return self.rng.choice(["", "", "", "\n  ", "<!-- why -->", "<newerThanUs><deep>1</deep></newerThanUs>"])

    def element(self, name, inner):
        return f"<{name}/>" if inner == "" and self.rng.random() < 0.5 else f"<{name}>{inner}</{name}>"

    def member(self, shape, name, value):
        name = shape.serialization.get("name", name)
        flattened = shape.serialization.get("flattened")
        if shape.type_name == "list":
            if flattened:
                name = shape.member.serialization.get("name", name)
                return "".join(self.element(name, self.body(shape.member, inner)) for inner in value)
            item = self.item if self.item == "item" else shape.member.serialization.get("name", self.item)
            return self.element(name, "".join(self.element(item, self.body(shape.member, inner)) for inner in value))
        return self.element(name, self.body(shape, value))

    def body(self, shape, value):
        kind = shape.type_name
        if kind == "structure":
            return self.noise() + "".join(self.member(shape.members[name], name, inner) + self.noise()
                                          for name, inner in value.items())
        if kind == "map":
            key_name = shape.key.serialization.get("name", "key")
            value_name = shape.value.serialization.get("name", "value")
            return "".join(f"<entry>{self.element(key_name, escape(key))}{self.element(value_name, self.body(shape.value, inner))}</entry>"
                           for key, inner in value.items())
        if kind == "boolean":
            return "true" if value else "false"
        if kind == "list":  # a list in a list
            return "".join(self.element(self.item, self.body(shape.member, inner)) for inner in value)
        return escape(str(value))


def json_answer(shape, value, rng):
    kind = shape.type_name
    if kind == "structure":
        out = {shape.members[name].serialization.get("name", name): json_answer(shape.members[name], inner, rng)
               for name, inner in value.items()}
        return {**out, **({"NewerThanUs": [1]} if rng.random() < 0.2 else {})}
    if kind == "list":
        return [json_answer(shape.member, inner, rng) for inner in value]
    if kind == "map":
        return {key: json_answer(shape.value, inner, rng) for key, inner in value.items()}
    if kind == "timestamp":
        instant = datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
        return instant.timestamp() + rng.choice([0, 0.5, 0.125])
    return value


def iso_text(value):
    if isinstance(value, str):
        return value
    return datetime.datetime.fromtimestamp(value, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def form_of(body):
    pairs = urllib.parse.parse_qsl(body, keep_blank_values=True, strict_parsing=True)
    form = dict(pairs)
    assert len(form) == len(pairs), "a key twice"
    return form


def form_text(value):
    return value if isinstance(value, str) else str(value)


class Oracle:
    def __init__(self, seed, rounds):
        self.rng = random.Random(seed)
        self.rounds = rounds
        self.lines, self.checks = [], []
        loader = botocore.loaders.Loader()
        self.models = {name: ServiceModel(loader.load_service_model(name, "service-2", api_version=version), name)
                       for name, version in VERSIONS.items()}
        factory = ResponseParserFactory()
        factory.set_parser_defaults(timestamp_parser=iso_text, blob_parser=lambda text: text)
        self.parsers = {name: factory.create_parser(model.metadata["protocol"]) for name, model in self.models.items()}

    def ask(self, line, check):
        self.lines.append(line)
        self.checks.append(check)

    def add_request(self, service, model, operation):
        shape = operation.input_shape
        params = Draw(self.rng).structure(shape, 0) if shape is not None else {}
        serializer = create_serializer(model.metadata["protocol"], include_validation=False)
        wanted = serializer.serialize_to_request(for_botocore(shape, params) if shape else {}, operation)

        def check(got):
            if got["problems"]:
                return f"refused: {got['problems']}"
            for name, value in wanted["headers"].items():
                if got["headers"].get(name) != value:
                    return f"header {name}: {got['headers'].get(name)} instead of {value}"
            if model.metadata["protocol"] == "json":
                ours, theirs = json.loads(got["body"]), json.loads(wanted["body"])
            else:
                ours = form_of(got["body"])
                theirs = {key: form_text(value) for key, value in wanted["body"].items()}
            return None if ours == theirs else f"body {ours} instead of {theirs}"

        self.ask({"do": "serialize", "service": service, "operation": operation.name, "params": params}, check)

    def add_answer(self, service, model, operation):
        shape = operation.output_shape
        value = Draw(self.rng).structure(shape, 0) if shape is not None else {}
        if model.metadata["protocol"] == "json":
            body = json.dumps(json_answer(shape, value, self.rng)) if shape is not None else ""
        else:
            writer = XmlAnswer(self.rng, model.metadata["protocol"])
            inner = writer.body(shape, value) if shape is not None else "<return>true</return>"
            wrapper = shape.serialization.get("resultWrapper") if shape is not None else None
            if wrapper:
                inner = f"<{wrapper}>{inner}</{wrapper}>"
            body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<{operation.name}Response xmlns="{model.metadata["xmlNamespace"]}/">'
                    f"<requestId>r</requestId>{inner}</{operation.name}Response>")
        response = {"status_code": 200, "headers": {}, "body": body.encode()}
        wanted = self.parsers[service].parse(response, shape)
        wanted.pop("ResponseMetadata", None)
        if (service, operation.name) in NEWER_OUTPUT and shape is None:
            return
        self.ask({"do": "parse", "service": service, "operation": operation.name, "body": body},
                 lambda got: None if got.get("result") == wanted else f"{got} instead of {wanted}")

    def add_error(self, service, model):
        code, message = "Invalid" + str(self.rng.randrange(1000)) + ".NotFound", Draw(self.rng).text(1, 30).strip() + "x"
        status, headers, request_id = self.rng.choice([400, 403, 404, 409, 500, 503]), {}, "r-7"
        if model.metadata["protocol"] == "json":
            body = json.dumps({"__type": self.rng.choice(["", "com.amazon.x#"]) + code, self.rng.choice(["message", "Message"]): message})
            headers = {"x-amzn-requestid": request_id}
        elif model.metadata["protocol"] == "ec2":
            body = f"<Response><Errors><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error></Errors><RequestID>{request_id}</RequestID></Response>"
        else:
            body = (f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
                    f"<RequestId>{request_id}</RequestId></ErrorResponse>")
        wanted = self.parsers[service].parse({"status_code": status, "headers": headers, "body": body.encode()}, None)
        expected = (wanted["Error"]["Code"], wanted["ResponseMetadata"]["RequestId"])

        def check(got):
            ours = (got["code"], got["request_id"])
            text = got["message"].removeprefix(code + ": ")
            return None if ours == expected and text == wanted["Error"]["Message"] else f"{got} instead of {wanted}"

        self.ask({"do": "error", "service": service, "status": status, "headers": headers, "body": body}, check)

    def fill(self):
        for service, model in self.models.items():
            for name in model.operation_names:
                operation = model.operation_model(name)
                for _ in range(self.rounds):
                    self.add_request(service, model, operation)
                    self.add_answer(service, model, operation)
            for _ in range(20 * self.rounds):
                self.add_error(service, model)
        for vector in sigv4_vectors.vectors(self.rng, 50 * self.rounds):
            self.ask({"do": "sign", **vector}, lambda got, want=vector["authorization"]:
                     None if got["authorization"] == want else f"{got} instead of {want}")

    def run(self, tool):
        text = "".join(json.dumps(line) + "\n" for line in self.lines)
        done = subprocess.run([tool], input=text, capture_output=True, text=True, check=True, timeout=250)
        answers = done.stdout.split("\n")[:-1]
        assert len(answers) == len(self.lines), f"{len(answers)} answers to {len(self.lines)} questions"
        bad = []
        for line, check, answer in zip(self.lines, self.checks, answers):
            problem = check(json.loads(answer))
            if problem:
                bad.append((line, problem))
        return bad


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    oracle = Oracle(options.seed, options.rounds)
    oracle.fill()
    bad = oracle.run(options.tool)
    for line, problem in bad[:10]:
        print(f"{line['do']} {line.get('service')}:{line.get('operation', '')}\n  asked: {json.dumps(line)[:2000]}\n  {problem[:2000]}\n")
    print(f"{len(oracle.lines)} comparisons, {len(bad)} differ (seed {options.seed}, rounds {options.rounds})")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
