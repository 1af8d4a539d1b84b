#!/usr/bin/python3
"""Compares our waiters' expressions and our paging with what botocore uses.

    tests/aws/flow_oracle.py PATH/aws_flow_tool [--seed N] [--rounds N] [--data DIR ...]

Every expression of every waiter of every service in botocore's data (and in DIR, another botocore's data folder) and
random ones of the same grammar are searched in random documents by Python's jmespath and by us; every paginator is led
through random pages by botocore's PageIterator and by us. Left out, for Python raises a TypeError there where the
specification says null: an order between text and numbers.
"""
import argparse
import copy
import gzip
import json
import pathlib
import random
import re
import subprocess
import sys

import botocore
import botocore.exceptions
import botocore.paginate
import jmespath
import jmespath.exceptions

DATA = pathlib.Path(botocore.__file__).resolve().parent / "data"
EMBEDDED = ("cloudwatch", "ec2", "iam", "pricing", "scheduler", "ssm", "sts")
SHOWN_MAX = 10
NAMES = ("a", "b", "c", "d")


def load(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def model_files(folders, name):
    for folder in folders:
        yield from sorted(pathlib.Path(folder).glob(f"*/*/{name}"))
        yield from sorted(pathlib.Path(folder).glob(f"*/*/{name}.gz"))


def waiter_expressions(folders):
    found = set()
    for path in model_files(folders, "waiters-2.json"):
        for waiter in load(path)["waiters"].values():
            found.update(acceptor["argument"] for acceptor in waiter["acceptors"]
                         if acceptor["matcher"].startswith("path"))
    return sorted(found)


class Documents:
    """Random JSON in which an expression's names and literals occur."""

    def __init__(self, rng, expression):
        self.rng = rng
        plain = re.sub(r"'[^']*'|`[^`]*`", " ", expression)
        self.names = [n for n in re.findall(r"[A-Za-z_]\w*", plain) if n not in ("length", "contains")] or ["a"]
        self.scalars = re.findall(r"'([^']*)'", expression) + [None, True, False, 2, 3, "", "x", "äö"]
        for literal in re.findall(r"`([^`]*)`", expression):
            self.scalars.append(json.loads(literal))

    def value(self, depth=0):
        rng = self.rng
        kind = rng.random()
        if depth > 5 or kind < 0.2:
            return rng.choice(self.scalars)
        if kind < 0.55:
            return [self.value(depth + 1) for _ in range(rng.choice([0, 1, 2, 3]))]
        return self.members(depth)

    def members(self, depth=0):
        return {name: self.value(depth + 1) for name in self.names if self.rng.random() < 0.85}

    def along(self, names):
        """One in which the whole path is there, lists on the way or not."""
        inner = self.rng.choice(self.scalars) if not names else {names[0]: self.along(names[1:])}
        return [inner, self.value(4)] if self.rng.random() < 0.4 else inner

    def document(self):
        return self.members() if self.rng.random() < 0.5 else {self.names[0]: self.along(self.names[1:])}


def random_expression(rng, depth=0):
    def inner():
        return random_expression(rng, depth + 1)

    forms = [lambda: rng.choice(NAMES), lambda: f'"{rng.choice(NAMES)}"']
    if depth < 4:
        forms += [lambda: f"{inner()}.{rng.choice(NAMES)}", lambda: f"{inner()}[{rng.randint(-2, 2)}]",
                  lambda: f"{inner()}[]", lambda: f"{inner()}[*]", lambda: f"{inner()}.*", lambda: "*",
                  lambda: f"{inner()}[?{inner()}]", lambda: f"({inner()})", lambda: f"!{inner()}",
                  lambda: f"{inner()} || {inner()}", lambda: f"{inner()} && {inner()}",
                  lambda: f"length({inner()})", lambda: f"contains({inner()}, {inner()})",
                  lambda: f"{inner()} {rng.choice(['==', '!=', '<', '<=', '>', '>='])} {inner()}",
                  lambda: "`" + rng.choice(["2", "3", "[]", "{}", "null", "true", '"x"']) + "`",
                  lambda: "'" + rng.choice(["x", "", "a b"]) + "'"]
    return rng.choice(forms)()


class Oracle:
    def __init__(self, tool, rng):
        self.rng = rng
        self.tool = subprocess.Popen([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        self.compared = 0
        self.failures = 0

    def ask(self, line):
        self.tool.stdin.write(json.dumps(line) + "\n")
        self.tool.stdin.flush()
        answer = self.tool.stdout.readline()
        if not answer:
            sys.exit(f"the tool died of {json.dumps(line)}")
        return json.loads(answer)

    def differ(self, what, theirs, ours):
        self.failures += 1
        if self.failures <= SHOWN_MAX:
            print(f"{what}\n  botocore: {json.dumps(theirs)}\n  ours:     {json.dumps(ours)}")

    def expression(self, expression, rounds):
        documents = Documents(self.rng, expression)
        line = {"do": "search", "expression": expression, "documents": [documents.document() for _ in range(rounds)]}
        try:
            compiled = jmespath.compile(expression)
        except jmespath.exceptions.ParseError as error:
            got = self.ask(line)
            if got.get("error") != "bad-expression":
                self.differ(f"{expression}: is no expression", str(error), got)
            return
        got = self.ask(line)
        if "error" in got:
            self.differ(f"{expression}: refused", None, got)
            return
        for document, ours in zip(line["documents"], got["values"]):
            try:
                theirs = {"value": compiled.search(document)}
            except jmespath.exceptions.JMESPathTypeError:
                theirs = {"error": "expression-type"}
            except TypeError:
                continue  # text < 1, or 1 in "text"
            self.compared += 1
            ours.pop("message", None)
            if json.dumps(theirs, sort_keys=True) != json.dumps(ours, sort_keys=True):
                self.differ(f"{expression} in {json.dumps(document)}", theirs, ours)

    def pages(self, service, operation, paginator, embedded):
        sequence = Sequence(self.rng, paginator).pages()
        params = {"Other": 1} if self.rng.random() < 0.5 else {}
        line = {"do": "pages", "service": service, "operation": operation, "params": params, "pages": sequence}
        if not embedded:
            line["paginator"] = paginator
        got = self.ask(line)
        asked = []
        left = copy.deepcopy(sequence)

        def method(**kwargs):
            asked.append(copy.deepcopy(kwargs))
            return left.pop(0)

        theirs = {"asked": asked}
        iterator = botocore.paginate.Paginator(method, copy.deepcopy(paginator), None).paginate(**params)
        try:
            theirs["merged"] = iterator.build_full_result()
        except botocore.exceptions.PaginationError:
            theirs["error"] = "bad-answer"
        self.compared += 1
        where = f"{service} {operation} over {json.dumps(sequence)}"
        if asked != got.get("asked") or theirs.get("error") != got.get("error"):
            self.differ(where, theirs, got)
            return
        if "error" in theirs:
            return
        for key in as_list(paginator["result_key"]) + paginator.get("non_aggregate_keys", []):
            if jmespath.search(key, theirs["merged"]) != jmespath.search(key, got["merged"]):
                self.differ(f"{where}: {key}", theirs["merged"], got["merged"])
                return


def as_list(value):
    return value if isinstance(value, list) else [value]


def put(target, path, value):
    *way, last = path.split(".")
    for step in way:
        target = target.setdefault(step, {})
    target[last] = value


class Sequence:
    """Pages as a service with that paginator may give them, and some that it should not."""

    def __init__(self, rng, paginator):
        self.rng = rng
        self.paginator = paginator
        self.kinds = {key: rng.choice(["list", "list", "list", "number", "text"])
                      for key in as_list(paginator["result_key"])}
        self.kinds[as_list(paginator["result_key"])[0]] = "list"
        # A few keep the very member whose lists they add up: no text or sum can be in its place.
        self.kept = [kept for kept in paginator.get("non_aggregate_keys", [])
                     if not any(key.startswith(kept + ".") for key in self.kinds)]
        for key in self.kinds:
            if any(key.startswith(kept + ".") for kept in paginator.get("non_aggregate_keys", [])):
                self.kinds[key] = "list"
        self.last_item = {}
        for token in as_list(paginator["output_token"]):
            for path, member in re.findall(r"([\w.]+)\[-1\](?:\.(\w+))?", token):
                self.last_item[path] = member

    def item(self, key, number):
        member = self.last_item.get(key)
        name = f"i{number}-{self.rng.randrange(10**6)}"
        return {member: name} if member else name if key in self.last_item else {"Name": name}

    def page(self, number, is_last, repeated):
        rng = self.rng
        page = {"Else": number}
        for key, kind in self.kinds.items():
            count = 0 if is_last and key in self.last_item else rng.choice([0, 1, 3])
            if rng.random() < 0.15 and not (key in self.last_item and not is_last):
                continue
            value = {"list": [self.item(key, number) for _ in range(count)], "number": rng.randrange(5),
                     "text": f"t{number}"}[kind]
            put(page, key, value)
        for token in as_list(self.paginator["output_token"]):
            path = token.split("||")[0].strip()
            if "[" in path:
                continue
            if not is_last and rng.random() < 0.85:
                put(page, path, "again" if repeated else rng.choice([f"t{number}", number + 7, {"k": f"t{number}"}]))
            elif rng.random() < 0.5:
                put(page, path, rng.choice(["", None]))
        if more := self.paginator.get("more_results"):
            if not is_last or rng.random() < 0.7:
                put(page, more, not is_last or rng.random() < 0.1)
        for key in self.kept:
            if rng.random() < 0.7:
                put(page, key, f"n{number}")
        return page

    def pages(self):
        count = self.rng.choice([1, 2, 3, 5])
        repeated = self.rng.random() < 0.15
        pages = [self.page(number, False, repeated) for number in range(count)]
        return pages + [self.page(count, True, False)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--data", action="append", default=[])
    options = parser.parse_args()
    rng = random.Random(options.seed)
    oracle = Oracle(options.tool, rng)
    folders = [DATA, *options.data]
    expressions = waiter_expressions(folders)
    for expression in expressions:
        oracle.expression(expression, 20 * options.rounds)
    for _ in range(100 * options.rounds):
        oracle.expression(random_expression(rng), 10)
    searched = oracle.compared
    paginators = 0
    for path in model_files(folders, "paginators-1.json"):
        service = path.parent.parent.name
        for operation, paginator in load(path)["pagination"].items():
            if "result_key" not in paginator:
                continue
            paginators += 1
            embedded = service in EMBEDDED and DATA in path.parents
            for _ in range(options.rounds if embedded else 2):
                oracle.pages(service, operation, paginator, embedded)
    print(f"{len(expressions)} expressions of waiters, {searched} searches, {paginators} paginators, "
          f"{oracle.compared - searched} page sequences: {oracle.failures} differences (seed {options.seed})")
    if not searched or not paginators:
        sys.exit("nothing was compared")
    sys.exit(1 if oracle.failures else 0)


if __name__ == "__main__":
    main()
