#!/usr/bin/python3
"""Compares our AWS codecs with botocore's own on random inputs drawn from the service models.

    tests/aws/botocore_oracle.py PATH/aws_codec_tool [--seed N] [--rounds N] [--service NAME...] [--all]

Every operation of the services is serialised and has an answer parsed, `rounds` times; so are error documents and
signatures. Without --service they are the seven that we embed, from our own copies of their models; with --service, or
with --all for every service whose protocol we speak, both sides read them from botocore's data folder.

The first differences are printed with what is needed to repeat them. What differs on purpose is in DIFFERENCES.
"""
import argparse
import base64
import dataclasses
import datetime
import email.utils
import json
import pathlib
import random
import subprocess
import sys
import urllib.parse
from xml.sax.saxutils import escape

import botocore.loaders
from botocore.awsrequest import HeadersDict, prepare_request_dict
from botocore.model import ServiceModel
from botocore.parsers import ResponseParserFactory
from botocore.serialize import create_serializer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import sigv4_vectors  # noqa: E402: from beside this file

VERSIONS = {"cloudwatch": "2010-08-01", "ec2": "2016-11-15", "iam": "2010-05-08", "pricing": "2017-10-15",
            "scheduler": "2021-06-30", "ssm": "2014-11-06", "sts": "2011-06-15"}
PROTOCOLS = ("ec2", "query", "json", "rest-json")
DATA = pathlib.Path(botocore.__file__).resolve().parent / "data"
PAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "internals" / "aws-protocols.md"
# Our overlay gives these an output that this botocore does not know.
NEWER_OUTPUT = {("ec2", "DeleteKeyPair"), ("ec2", "DeregisterImage")}
ALPHABET = "abcXYZ019 .-_~!*'()+&=%/?#<>\"\\;:@\n\täß€\u2028😀"
PLAIN = "abcXYZ019.-_~!*'()+&=%/?#<>;:@"  # what a header carries unchanged
HOST = "abcXYZ019"
DEPTH_MAX = 5
DEPTH_END = 25

# Where we differ from botocore on purpose; docs/internals/aws-protocols.md shows the same list, which a test compares.
# What is drawn below, and what is compared, leaves these out; tests of our own pin our side.
DIFFERENCES = {
    "fraction-of-a-second": "botocore cuts fractions off instants that are sent as seconds since 1970; we send them",
    "booleans-as-text": "botocore writes True and False into headers; the services want true and false, as we send",
    "quoted-header-lists": "a text with a comma or a quote is quoted in a header's list, and read so; botocore of this "
                           "age sends and reads it plain, which cuts it in two",
    "type-of-raw-bodies": "a body that is one blob or text gets a Content-Type (application/octet-stream, text/plain) "
                          "where no parameter says it; botocore leaves that to the HTTP library",
    "types-of-headers": "booleans and numbers with fractions in headers of an answer are read as such; botocore of this "
                        "age leaves them as text",
    "unions": "an answer with a union member that the model does not know gives an empty object; botocore gives "
              "SDK_UNKNOWN_MEMBER, and an error for several members",
    "empty-numbers": "an empty element where a number belongs counts as absent; botocore fails",
    "strange-map-entries": "unknown elements beside key and value of a map's entry are passed over; botocore fails",
    "body-of-located-members": "a member that belongs into a header is not read from a JSON body; botocore takes it from there",
    "codes-of-errors": "every error code is cut to its bare name (after '#', before ':'), from the header x-amzn-errortype "
                       "in json too; botocore does one or the other by protocol",
    "errors-without-code": "an error answer without a code has none with us (its status tells); botocore makes the status a code",
    "blanks-of-errors": "code and message of an XML error are trimmed",
    "newer-members": "members that our overlay adds (tools/models-overlay.json) are unknown to this botocore",
    "unsafe-paths": "a path parameter that is empty, '.' or '..' is refused before anything is sent; botocore sends it",
    "line-ends-in-headers": "a header parameter with control characters is refused; botocore leaves that to the HTTP library",
    "streams-of-events": "operations with an event stream are refused with a message",
    "hop-by-hop-headers": "Connection, Content-Length and Transfer-Encoding are not signed, as the transport sets them; "
                          "botocore of this age signs them where a caller set them",
}


class TooDeep(Exception):
    """A shape that contains itself without an end."""


class Draw:
    """Random values of a shape, as our client takes and gives them: Json, blobs in base64, instants as ISO text."""

    def __init__(self, rng):
        self.rng = rng

    def text(self, least, most, alphabet=ALPHABET):
        length = min(max(least, self.rng.choice([0, 1, 3, 12])), most)
        return "".join(self.rng.choice(alphabet) for _ in range(length))

    def size(self, shape, default_most):
        least = int(shape.metadata.get("min", 0))
        most = int(shape.metadata.get("max", least + default_most))
        return least, max(least, min(most, least + default_most))

    def anything(self, depth=0):
        kinds = [None, True, 7, -0.25, "tëxt", ""]
        if depth < 3:
            kinds += [[self.anything(depth + 1) for _ in range(2)], {"k": self.anything(depth + 1)}]
        return self.rng.choice(kinds)

    def string(self, shape, is_key):
        rng, place = self.rng, shape.serialization
        location = place.get("location")
        if place.get("jsonvalue") and location == "header":
            return self.anything()
        least, most = self.size(shape, 12)
        if choices := shape.metadata.get("enum"):
            return rng.choice(choices)
        if location == "uri":
            return (self.text(max(least, 1), max(most, 1)).strip(".") or "x").ljust(least, "x")
        if place.get("hostLabel"):
            return self.text(max(least, 1), max(min(most, 60), 1), HOST)
        if location == "header":
            return self.text(least, most, PLAIN)
        return self.text(max(least, 4 if is_key else 0), max(most, 4 if is_key else 0))

    def number(self, shape):
        if shape.type_name in ("integer", "long"):
            widest = 2**31 - 1 if shape.type_name == "integer" else 2**53
            least = int(shape.metadata.get("min", -1000))
            most = int(shape.metadata.get("max", max(least, 0) + 10**9))
            return self.rng.randint(max(least, -widest), max(min(most, widest), least))
        least = shape.metadata.get("min", 0)
        return round(self.rng.uniform(least, shape.metadata.get("max", least + 100)), 3)

    def instant(self, shape):
        instant = datetime.datetime(2000, 1, 1) + datetime.timedelta(seconds=self.rng.randrange(10**9))
        return instant.strftime("%Y-%m-%dT%H:%M:%SZ")

    def value(self, shape, depth=0, is_key=False):
        kind = shape.type_name
        rng = self.rng
        if depth > DEPTH_END:
            raise TooDeep(shape.name)
        if kind == "structure":
            return self.structure(shape, depth)
        if kind == "list":
            least, most = self.size(shape, 3)
            return [self.list_item(shape, depth) for _ in range(rng.randint(least, most))]
        if kind == "map":
            return self.map(shape, depth)
        if kind in ("string", "character"):
            return self.string(shape, is_key)
        if kind in ("integer", "long", "float", "double"):
            return self.number(shape)
        if kind == "boolean":
            return rng.random() < 0.5
        if kind == "blob":
            least, most = self.size(shape, 9)
            return base64.b64encode(rng.randbytes(rng.randint(least, most))).decode()
        if kind == "timestamp":
            return self.instant(shape)
        raise AssertionError(kind)

    def list_item(self, shape, depth):
        if shape.serialization.get("location") == "header" and shape.member.type_name == "string":
            least, most = self.size(shape.member, 12)
            return self.rng.choice(shape.member.metadata.get("enum", [self.text(max(least, 1), max(most, 1), PLAIN)]))
        return self.value(shape.member, depth + 1)

    def map(self, shape, depth):
        least, most = self.size(shape, 3)
        located = shape.serialization.get("location") == "headers"
        return {f"k{i}" if located else (f"k{i}" + self.value(shape.key, is_key=True)[2:])[:self.size(shape.key, 12)[1]]:
                self.text(0, 8, PLAIN) if located else self.value(shape.value, depth + 1)
                for i in range(self.rng.randint(max(least, 1), max(most, 1)))}

    def structure(self, shape, depth):
        if getattr(shape, "is_document_type", False):
            return self.anything()
        members = shape.members
        if getattr(shape, "is_tagged_union", False):
            plain = [name for name, member in members.items() if member.type_name not in ("structure", "list", "map")]
            name = self.rng.choice(plain if plain and depth > DEPTH_MAX else list(members))
            return {name: self.value(members[name], depth + 1)}
        chance = 0.6 if depth < 2 else 0.3
        return {name: self.value(member, depth + 1) for name, member in members.items()
                if name in shape.required_members or member.serialization.get("location") == "uri" or
                (depth < DEPTH_MAX and self.rng.random() < chance)}


def is_document(shape):
    return getattr(shape, "is_document_type", False)


def for_botocore(shape, value):
    """The same value as botocore's serialiser takes it."""
    kind = shape.type_name
    if kind == "structure" and not is_document(shape):
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

    def text(self, value):
        """Characters, references, a section, a comment in the middle: all the same text."""
        how = self.rng.randrange(8)
        if how == 0:
            return "".join(f"&#{ord(c)};" for c in value)
        if how == 1 and value:
            return f"<![CDATA[{value}]]>"
        if how == 2 and len(value) > 2:
            return escape(value[:2]) + "<!-- - -->" + escape(value[2:])
        return escape(value)

    def member(self, shape, name, value):
        name = shape.serialization.get("name", name)
        flattened = shape.serialization.get("flattened")
        if shape.type_name == "list":
            if flattened:
                name = shape.member.serialization.get("name", name)
                return "".join(self.element(name, self.body(shape.member, inner)) for inner in value)
            item = self.item if self.item == "item" else shape.member.serialization.get("name", self.item)
            return self.element(name, "".join(self.element(item, self.body(shape.member, inner)) for inner in value))
        if shape.type_name == "map" and flattened:
            return "".join(self.element(name, entry) for entry in self.entries(shape, value))
        return self.element(name, self.body(shape, value))

    def entries(self, shape, value):
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        return [self.element(key_name, self.text(key)) + self.element(value_name, self.body(shape.value, inner))
                for key, inner in value.items()]

    def body(self, shape, value):
        kind = shape.type_name
        if kind == "structure":
            members = list(value.items())
            self.rng.shuffle(members)
            return self.noise() + "".join(self.member(shape.members[name], name, inner) + self.noise()
                                          for name, inner in members)
        if kind == "map":
            return "".join(f"<entry>{entry}</entry>" for entry in self.entries(shape, value))
        if kind == "boolean":
            return "true" if value else "false"
        if kind == "list":  # a list in a list
            return "".join(self.element(self.item, self.body(shape.member, inner)) for inner in value)
        return self.text(value) if isinstance(value, str) else str(value)


def seconds_of(value):
    return datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()


def json_answer(shape, value, rng):
    kind = shape.type_name
    if is_document(shape):
        return value
    if kind == "structure":
        out = {shape.members[name].serialization.get("name", name): json_answer(shape.members[name], inner, rng)
               for name, inner in value.items() if "location" not in shape.members[name].serialization}
        if getattr(shape, "is_tagged_union", False):
            return out
        for name, member in shape.members.items():  # a service may say null for absent
            if name not in value and "location" not in member.serialization and rng.random() < 0.1:
                out[member.serialization.get("name", name)] = None
        return {**out, **({"NewerThanUs": [1]} if rng.random() < 0.2 else {})}
    if kind == "list":
        return [json_answer(shape.member, inner, rng) for inner in value]
    if kind == "map":
        return {key: json_answer(shape.value, inner, rng) for key, inner in value.items()}
    if kind == "timestamp":
        form = shape.serialization.get("timestampFormat", "unixTimestamp").lower()
        if form == "unixtimestamp":
            return seconds_of(value) + rng.choice([0, 0.5, 0.125])
        return email.utils.formatdate(seconds_of(value), usegmt=True) if form == "rfc822" else value
    return value


class RestAnswer:
    """An answer of rest-json: status, headers and body."""

    def __init__(self, rng, operation, value):
        self.rng, self.status, self.headers, self.body = rng, operation.http.get("responseCode", 200), {}, b""
        self.shape = shape = operation.output_shape
        if shape is None:
            return
        for name, inner in value.items():
            self.locate(shape.members[name], name, inner)
        payload = shape.serialization.get("payload")
        if payload is None:
            self.body = json.dumps(json_answer(shape, value, rng)).encode()
        elif payload in value:
            member = shape.members[payload]
            if member.type_name in ("blob", "string"):
                self.body = value[payload].encode()  # text for a blob too: botocore reads it as such here
            else:
                self.body = json.dumps(json_answer(member, value[payload], rng)).encode()

    def header_text(self, member, value):
        if member.serialization.get("jsonvalue"):
            return base64.b64encode(json.dumps(value).encode()).decode()
        if member.type_name == "list":
            return ",".join(self.header_text(member.member, inner) for inner in value)
        if member.type_name == "timestamp":
            form = member.serialization.get("timestampFormat", "rfc822").lower()
            if form == "unixtimestamp":
                return str(int(seconds_of(value)))
            return value if form == "iso8601" else email.utils.formatdate(seconds_of(value), usegmt=True)
        return str(value).lower() if isinstance(value, bool) else str(value)

    def locate(self, member, name, value):
        location = member.serialization.get("location")
        if location == "header":
            self.headers[member.serialization.get("name", name)] = self.header_text(member, value)
        elif location == "headers":
            self.headers.update({member.serialization.get("name", "") + key: inner for key, inner in value.items()})

    def expected(self, wanted):
        """What botocore read, with its own ways (DIFFERENCES: types-of-headers) taken out."""
        shape = self.shape
        for name, member in (shape.members if shape is not None else {}).items():
            if member.serialization.get("location") == "header" and name in wanted:
                if member.type_name == "boolean":
                    wanted[name] = wanted[name] == "true"
                elif member.type_name in ("float", "double"):
                    wanted[name] = float(wanted[name])
            if name == shape.serialization.get("payload") and member.type_name == "blob":
                wanted[name] = base64.b64encode(self.body).decode()
        return wanted


def iso_text(value):
    if isinstance(value, str):
        parsed = email.utils.parsedate_to_datetime(value) if value[:1].isalpha() else None
        if parsed is None and not value.isdigit():
            return value
        value = parsed.timestamp() if parsed else int(value)
    return datetime.datetime.fromtimestamp(value, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def form_of(body):
    pairs = urllib.parse.parse_qsl(body, keep_blank_values=True, strict_parsing=True)
    form = dict(pairs)
    assert len(form) == len(pairs), "a key twice"
    return form


def same_text(ours, theirs):
    """Numbers may be spelt in several ways."""
    if ours == theirs or (isinstance(theirs, bool) and ours == str(theirs).lower()):
        return True
    if isinstance(theirs, (int, float)):
        return float(ours) == float(theirs)
    return False


def compare_forms(ours, theirs):
    return set(ours) == set(theirs) and all(same_text(ours[key], value) for key, value in theirs.items())


def compare_bodies(protocol, ours, wanted, raw):
    """None, or what differs."""
    theirs = wanted["body"]
    if protocol in ("ec2", "query"):
        form = form_of(ours.decode())
        return None if compare_forms(form, theirs) else f"body {form} instead of {theirs}"
    theirs = theirs.encode() if isinstance(theirs, str) else theirs
    if raw or not ours or not theirs:
        return None if ours == theirs else f"body {ours} instead of {theirs}"
    return None if json.loads(ours) == json.loads(theirs) else f"body {ours} instead of {theirs}"


@dataclasses.dataclass
class Service:
    name: str
    model: ServiceModel
    protocol: str
    parser: object


class Oracle:
    def __init__(self, seed, rounds, services=None):
        self.rng = random.Random(seed)
        self.rounds = rounds
        self.lines, self.checks = [], []
        self.skipped = 0
        loader = botocore.loaders.Loader()
        factory = ResponseParserFactory()
        factory.set_parser_defaults(timestamp_parser=iso_text, blob_parser=lambda text: text)
        self.services = []
        for name in services or VERSIONS:
            version = None if services else VERSIONS[name]
            model = ServiceModel(loader.load_service_model(name, "service-2", api_version=version), name)
            protocol = model.metadata["protocol"]
            if protocol in PROTOCOLS:
                self.services.append(Service(name, model, protocol, factory.create_parser(protocol)))
        if services:
            self.ask({"do": "models", "directory": str(DATA)}, lambda got: got.get("error"))

    @property
    def models(self):
        return {service.name: service.model for service in self.services}

    def ask(self, line, check):
        self.lines.append(line)
        self.checks.append(check)

    def draw(self, shape):
        return Draw(self.rng).structure(shape, 0) if shape is not None else {}

    def add_request(self, service, operation):
        shape = operation.input_shape
        params = self.draw(shape)
        serializer = create_serializer(service.protocol, include_validation=False)
        wanted = serializer.serialize_to_request(for_botocore(shape, params) if shape else {}, operation)
        host_prefix = wanted.pop("host_prefix", "")
        prepare_request_dict(wanted, "http://host")
        payload = shape.serialization.get("payload") if shape is not None else None
        raw = payload is not None and shape.members[payload].type_name in ("blob", "string")
        booleans = {member.serialization.get("name", name) for name, member in (shape.members if shape else {}).items()
                    if member.serialization.get("location") == "header" and member.type_name == "boolean"}

        def check(got):
            if got["problems"] or "error" in got:
                return f"refused: {got}"
            theirs = {name: value.lower() if name in booleans else value for name, value in wanted["headers"].items()}
            ours = {name: value for name, value in got["headers"].items()
                    if not (raw and name == "Content-Type" and name not in theirs)}
            json_headers(shape, ours), json_headers(shape, theirs)
            if ours != theirs:
                return f"headers {ours} instead of {theirs}"
            wanted["url"] = wanted["url"].removesuffix("?")  # of an empty list
            if (got["method"], "http://host" + got["path"], got["host_prefix"]) != (wanted["method"], wanted["url"], host_prefix):
                return f"{got['method']} {got['host_prefix']} {got['path']} instead of {wanted['method']} {host_prefix} {wanted['url']}"
            return compare_bodies(service.protocol, base64.b64decode(got["body_base64"]), wanted, raw)

        self.ask({"do": "serialize", "service": service.name, "operation": operation.name, "params": params}, check)

    def answer(self, service, operation, value):
        """Status, headers and body of an answer, and what turns botocore's reading of it into the one we want."""
        shape = operation.output_shape
        if service.protocol == "rest-json":
            rest = RestAnswer(self.rng, operation, value)
            return rest.status, rest.headers, rest.body, rest.expected
        if service.protocol == "json":
            body = json.dumps(json_answer(shape, value, self.rng)) if shape is not None else ""
            return 200, {}, body.encode(), lambda wanted: wanted
        writer = XmlAnswer(self.rng, service.protocol)
        inner = writer.body(shape, value) if shape is not None else "<return>true</return>"
        wrapper = shape.serialization.get("resultWrapper") if shape is not None else None
        if wrapper:
            inner = f"<{wrapper}>{inner}</{wrapper}>"
        namespace = service.model.metadata.get("xmlNamespace", "urn:x")
        body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<{operation.name}Response xmlns="{namespace}/">'
                f"<requestId>r</requestId>{inner}</{operation.name}Response>")
        return 200, {}, body.encode(), lambda wanted: wanted

    def add_answer(self, service, operation):
        shape = operation.output_shape
        if (service.name, operation.name) in NEWER_OUTPUT and shape is None:
            return
        status, headers, body, expected = self.answer(service, operation, self.draw(shape))
        response = {"status_code": status, "headers": HeadersDict(headers), "body": body}
        wanted = service.parser.parse(response, shape)
        if shape is None or "ResponseMetadata" not in shape.members:
            wanted.pop("ResponseMetadata", None)
        wanted = expected(wanted)
        self.ask({"do": "parse", "service": service.name, "operation": operation.name, "status": status,
                  "headers": headers, "body_base64": base64.b64encode(body).decode()},
                 lambda got: None if got.get("result") == wanted else f"{got} instead of {wanted}")

    def error_document(self, protocol, code, message):
        """Headers and body."""
        rng = self.rng
        if protocol in ("json", "rest-json"):
            told = rng.choice(["message", "Message"])
            coded = rng.choice(["", "com.amazon.x#"]) + code
            headers = {"x-amzn-requestid": "r-7"}
            body = {"__type": coded, told: message}
            if protocol == "rest-json" and rng.random() < 0.6:
                body = {rng.choice(["code", "Code"]): code, told: message}
                if rng.random() < 0.5:
                    headers["x-amzn-ErrorType"] = code + rng.choice(["", ":http://internal.amazon.com/x/"])
                    body = {told: message, "Other": 1}
            elif rng.random() < 0.2:
                headers["x-amzn-query-error"] = code + ";Sender"
                body["__type"] = "com.amazon.x#Renamed"
            return headers, json.dumps(body)
        wrap = XmlAnswer(rng, protocol)
        error = f"<Code>{code}</Code>{rng.choice(['', chr(10) + '  '])}<Message>{wrap.text(message)}</Message>"
        if protocol == "ec2":
            return {}, f"<?xml version='1.0'?><Response><Errors><Error>{error}</Error></Errors><RequestID>r-7</RequestID></Response>"
        namespace = rng.choice(["", ' xmlns="https://iam.amazonaws.com/doc/2010-05-08/"'])
        return {}, (f"<ErrorResponse{namespace}><Error><Type>Sender</Type>{error}</Error>"
                    f"<RequestId>r-7</RequestId></ErrorResponse>")

    def add_error(self, service):
        rng = self.rng
        shapes = [shape for shape in service.model.error_shapes] if hasattr(service.model, "error_shapes") else []
        code = rng.choice(shapes).name if shapes and rng.random() < 0.5 else f"Invalid{rng.randrange(1000)}.NotFound"
        message = "x" + Draw(rng).text(1, 30, ALPHABET.replace("\n", "").replace("\t", "").replace("\u2028", "")).strip() + "x"
        status = rng.choice([400, 403, 404, 409, 500, 503])
        headers, body = self.error_document(service.protocol, code, message)
        response = {"status_code": status, "headers": HeadersDict(headers), "body": body.encode()}
        wanted = service.parser.parse(response, None)
        expected = (wanted["Error"]["Code"].rsplit("#", 1)[-1], wanted["ResponseMetadata"]["RequestId"])

        def check(got):
            ours = (got["code"], got["request_id"])
            text = got["message"].removeprefix(got["code"] + ": ")
            return None if ours == expected and text == wanted["Error"]["Message"] else f"{got} instead of {wanted}"

        self.ask({"do": "error", "service": service.name, "status": status, "headers": headers, "body": body}, check)

    def add_operation(self, service, operation):
        streams = operation.get_event_stream_input() if hasattr(operation, "get_event_stream_input") else None
        if streams or operation.has_event_stream_output or operation.has_event_stream_input:
            self.skipped += 1
            return
        try:
            self.add_request(service, operation)
            self.add_answer(service, operation)
        except TooDeep:
            self.skipped += 1

    def fill(self):
        for service in self.services:
            for name in service.model.operation_names:
                for _ in range(self.rounds):
                    self.add_operation(service, service.model.operation_model(name))
            for _ in range(20 * self.rounds):
                self.add_error(service)
        for vector in sigv4_vectors.vectors(self.rng, 100 * self.rounds):
            self.ask({"do": "sign", **vector}, lambda got, want=vector["authorization"]:
                     None if got["authorization"] == want else f"{got} instead of {want}")

    def run(self, tool, timeout_s=250):
        text = "".join(json.dumps(line) + "\n" for line in self.lines)
        done = subprocess.run([tool], input=text, capture_output=True, text=True, check=True, timeout=timeout_s)
        answers = done.stdout.split("\n")[:-1]
        assert len(answers) == len(self.lines), f"{len(answers)} answers to {len(self.lines)} questions"
        bad = []
        for line, check, answer in zip(self.lines, self.checks, answers):
            problem = check(json.loads(answer))
            if problem:
                bad.append((line, problem))
        return bad


def json_headers(shape, headers):
    """Headers that are JSON in base64 compare by value."""
    for name, member in (shape.members if shape is not None else {}).items():
        wire = member.serialization.get("name", name)
        if member.serialization.get("jsonvalue") and wire in headers:
            headers[wire] = json.loads(base64.b64decode(headers[wire]))


def undocumented():
    """Differences that the documentation does not show, and the other way round."""
    table = PAGE.read_text(encoding="utf-8").split("What differs on purpose:")[1]
    shown = {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}
    return sorted(shown ^ set(DIFFERENCES))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--service", nargs="+", default=[])
    parser.add_argument("--all", action="store_true", help="every service of botocore's data folder that we speak")
    options = parser.parse_args()
    if missing := undocumented():
        print(f"{PAGE.name} and DIFFERENCES disagree on: {', '.join(missing)}")
        return 1
    services = botocore.loaders.Loader().list_available_services("service-2") if options.all else options.service
    oracle = Oracle(options.seed, options.rounds, services)
    oracle.fill()
    bad = oracle.run(options.tool)
    for line, problem in bad[:10]:
        print(f"{line['do']} {line.get('service')}:{line.get('operation', '')}\n  asked: {json.dumps(line)[:2000]}\n  {problem[:2000]}\n")
    print(f"{len(oracle.lines)} comparisons of {len(oracle.services)} services, {len(bad)} differ, {oracle.skipped} operations "
          f"left out (seed {options.seed}, rounds {options.rounds})")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
