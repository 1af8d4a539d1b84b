#!/usr/bin/python3
"""The simulated cloud's codecs against botocore's own, on random values drawn from the models.

    tests/sim_cloud/codec_oracle.py PATH/sim_codec_tool [--seed N] [--rounds N]

For every operation of every service that we embed: a request that botocore serialised is decoded by the simulator to
what was drawn; an answer that the simulator encoded is parsed by botocore to what was drawn; so are errors. The models
are Debian's whatever botocore runs this: what we embed was made of them.

What differs on purpose, and is taken out of what is drawn or expected:
  - ec2 and query: an empty structure or map leaves no trace in a form; so does an empty list of ec2. As items of a list
    they would leave a gap in the numbers, which the simulator refuses.
  - a flattened empty list leaves no trace in XML.
  - strings that a pattern constrains are drawn without it: the simulator does not check patterns.
  - rest-json: a label of the path is never empty, because the path would be another one; an empty list in the query
    string leaves no trace.
  - the overlay's operations whose output this botocore does not know are compared without it.
"""
import argparse
import datetime
import json
import pathlib
import random
import subprocess
import sys

import botocore
import botocore.awsrequest
import botocore.loaders
from botocore.model import ServiceModel
from botocore.parsers import ResponseParserFactory
from botocore.serialize import create_serializer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "aws"))
import botocore_oracle  # noqa: E402: from tests/aws

DEBIAN_MODELS = "/usr/lib/python3/dist-packages/botocore/data"
UTC = datetime.timezone.utc
FORMS = ("ec2", "query")


def is_simple(shape):
    return shape.type_name not in ("structure", "list", "map")


class Draw(botocore_oracle.Draw):
    """Without what leaves no trace on the wire."""

    def __init__(self, rng, protocol):
        super().__init__(rng)
        self.protocol = protocol

    def structure(self, shape, depth):
        value = super().structure(shape, depth)
        if not value and self.protocol in FORMS and depth > 0:
            for name, member in shape.members.items():
                if is_simple(member):
                    return {name: self.value(member, depth + 1)}
        return value

    def value(self, shape, depth=0, is_key=False):
        value = super().value(shape, depth, is_key)
        if shape.type_name == "list" and not value and self.protocol == "ec2":
            value = [self.value(shape.member, depth + 1)]
        return value


def traceless(value):
    return value in ({}, []) or value is None


def without_traceless(shape, value, protocol):
    """What remains of a request in a form, or None."""
    if shape.type_name == "structure":
        inner = {name: without_traceless(shape.members[name], item, protocol) for name, item in value.items()}
        kept = {name: item for name, item in inner.items() if item is not None}
        return kept or None
    if shape.type_name == "list":
        if not value:
            return None if protocol == "ec2" else []
        items = [without_traceless(shape.member, item, protocol) for item in value]
        return None if None in items else items
    if shape.type_name == "map":
        items = {key: without_traceless(shape.value, item, protocol) for key, item in value.items()}
        items = {key: item for key, item in items.items() if item is not None}
        return items or None
    return value


def as_kept(shape, value):
    """As the simulator keeps it: instants are epoch seconds."""
    kind = shape.type_name
    if kind == "structure":
        return {name: as_kept(shape.members[name], item) for name, item in value.items()}
    if kind == "list":
        return [as_kept(shape.member, item) for item in value]
    if kind == "map":
        return {key: as_kept(shape.value, item) for key, item in value.items()}
    if kind == "timestamp":
        return datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    return value


def without_empty_flattened(shape, value):
    if shape.type_name == "structure":
        return {name: without_empty_flattened(shape.members[name], item) for name, item in value.items()
                if not (item == [] and shape.members[name].serialization.get("flattened"))}
    if shape.type_name == "list":
        return [without_empty_flattened(shape.member, item) for item in value]
    return value


def epoch(value):
    if isinstance(value, (int, float)):
        return float(value)
    try:
        return float(value)
    except ValueError:
        return datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()


class Oracle:
    def __init__(self, tool, seed, rounds):
        self.tool, self.rounds, self.rng = tool, rounds, random.Random(seed)
        self.lines, self.checks = [], []
        loader = botocore.loaders.Loader(extra_search_paths=[DEBIAN_MODELS], include_default_search_paths=False)
        names = json.loads(self.talk('{"do":"services"}\n'))
        self.models = {name: ServiceModel(loader.load_service_model(name, "service-2"), name) for name in names}
        factory = ResponseParserFactory()
        factory.set_parser_defaults(timestamp_parser=epoch, blob_parser=lambda text: text)
        self.parsers = {name: factory.create_parser(model.metadata["protocol"]) for name, model in self.models.items()}

    def talk(self, text):
        return subprocess.run([self.tool], input=text, capture_output=True, text=True, check=True, timeout=250).stdout

    def ask(self, line, check):
        self.lines.append(line)
        self.checks.append(check)

    def draw_input(self, shape, protocol):
        value = Draw(self.rng, protocol).structure(shape, 0)
        if protocol in FORMS:
            value = without_traceless(shape, value, protocol) or {}
        elif protocol == "rest-json":
            for name, member in shape.members.items():
                place = member.serialization.get("location")
                if place == "uri" and not value[name]:
                    value[name] = "x" * max(1, int(member.metadata.get("min", 1)))
                if place == "querystring" and value.get(name) == [] and name not in shape.required_members:
                    del value[name]
        return value

    def add_request(self, service, model, operation):
        shape, protocol = operation.input_shape, model.metadata["protocol"]
        value = self.draw_input(shape, protocol) if shape is not None else {}
        if shape is not None and any(name not in value for name in shape.required_members):
            return  # a required member without a trace
        serializer = create_serializer(protocol, include_validation=False)
        given = botocore_oracle.for_botocore(shape, value) if shape is not None else {}
        wanted = serializer.serialize_to_request(given, operation)
        wanted.setdefault("headers", {})
        botocore.awsrequest.prepare_request_dict(wanted, endpoint_url="http://localhost:4599")
        wanted["context"] = {}
        request = botocore.awsrequest.create_request_object(wanted).prepare()
        body = request.body or b""
        body = body.decode() if isinstance(body, bytes) else body
        expected = as_kept(shape, value) if shape is not None else {}

        def check(got):
            if got.get("operation") != operation.name:
                return f"{got}"
            return None if got["input"] == expected else f"{got['input']} instead of {expected}"

        headers = {name: text.decode() if isinstance(text, bytes) else str(text) for name, text in request.headers.items()}
        self.ask({"do": "decode", "service": service, "method": request.method,
                  "url": request.url.removeprefix("http://localhost:4599"), "headers": headers, "body": body}, check)

    def parse(self, service, shape, got):
        headers = botocore.awsrequest.HeadersDict(got["headers"])
        return self.parsers[service].parse(
            {"status_code": got["status"], "headers": headers, "body": got["body"].encode()}, shape)

    def add_answer(self, service, model, operation):
        shape, protocol = operation.output_shape, model.metadata["protocol"]
        if shape is None and (service, operation.name) in botocore_oracle.NEWER_OUTPUT:
            return
        value = Draw(self.rng, "answer").structure(shape, 0) if shape is not None else {}
        output = as_kept(shape, value) if shape is not None else {}
        expected = without_empty_flattened(shape, output) if protocol in FORMS and shape is not None else output

        def check(got):
            parsed = self.parse(service, shape, got)
            request_id = parsed.pop("ResponseMetadata").get("RequestId")
            if request_id != "r-7":
                return f"request id {request_id}"
            return None if parsed == expected else f"{parsed} instead of {expected}"

        self.ask({"do": "encode", "service": service, "operation": operation.name, "output": output}, check)

    def add_error(self, service, model):
        known = [shape for shape in (model.shape_for(name) for name in model.shape_names)
                 if shape.metadata.get("exception")]
        message, status = Draw(self.rng, "answer").text(1, 30).strip() + "x", self.rng.choice([400, 403, 409, 500, 503])
        if known and self.rng.random() < 0.5:
            shape = self.rng.choice(known)
            error = shape.metadata.get("error", {})
            code, name = error.get("code", shape.name), shape.name
            status_wanted = error.get("httpStatusCode", status)
        else:
            code = name = "Invalid" + str(self.rng.randrange(1000)) + ".NotFound"
            status_wanted = status

        def check(got):
            parsed = self.parse(service, None, got)
            ours = (parsed["Error"]["Code"], parsed["Error"]["Message"], parsed["ResponseMetadata"]["HTTPStatusCode"],
                    parsed["ResponseMetadata"].get("RequestId"))
            wanted = (code, message, status_wanted, "r-7")
            return None if ours == wanted else f"{ours} instead of {wanted}"

        self.ask({"do": "error", "service": service, "code": name, "message": message, "status": status}, check)

    def fill(self):
        for service, model in self.models.items():
            for name in model.operation_names:
                operation = model.operation_model(name)
                for _ in range(self.rounds):
                    self.add_request(service, model, operation)
                    self.add_answer(service, model, operation)
            for _ in range(20 * self.rounds):
                self.add_error(service, model)

    def run(self):
        answers = self.talk("".join(json.dumps(line) + "\n" for line in self.lines)).split("\n")[:-1]
        assert len(answers) == len(self.lines), f"{len(answers)} answers to {len(self.lines)} questions"
        problems = ((line, check(json.loads(answer))) for line, check, answer in zip(self.lines, self.checks, answers))
        return [(line, problem) for line, problem in problems if problem]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    oracle = Oracle(options.tool, options.seed, options.rounds)
    oracle.fill()
    bad = oracle.run()
    for line, problem in bad[:10]:
        print(f"{line['do']} {line['service']}:{line.get('operation', '')}\n  asked: {json.dumps(line)[:2000]}\n  {problem[:2000]}\n")
    print(f"{', '.join(oracle.models)}: {len(oracle.lines)} comparisons with botocore {botocore.__version__}, "
          f"{len(bad)} differ (seed {options.seed}, rounds {options.rounds})")
    return 1 if bad or not oracle.lines else 0


if __name__ == "__main__":
    sys.exit(main())
