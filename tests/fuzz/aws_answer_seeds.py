#!/usr/bin/python3
"""Writes seeds for aws_answer_fuzz.cc: answers and error documents drawn from the models, as the oracle draws them.

    tests/fuzz/aws_answer_seeds.py DIRECTORY
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "aws"))
sys.dont_write_bytecode = True
import botocore_oracle  # noqa: E402: from tests/aws

SEED = 20261122
OPERATIONS = 6  # of each service


def main():
    directory = pathlib.Path(sys.argv[1])
    oracle = botocore_oracle.Oracle(SEED, 1)
    for number, service in enumerate(oracle.services):  # by name, as the program has them
        names = sorted(service.model.operation_names)
        for name in oracle.rng.sample(names, min(OPERATIONS, len(names))):
            operation = service.model.operation_model(name)
            _, headers, body, _ = oracle.answer(service, operation, oracle.draw(operation.output_shape))
            error_headers, error = oracle.error_document(service.protocol, "Invalid.NotFound", "no such thing")
            at = names.index(name)
            for kind, status, fields, text in (("result", 0, headers, body), ("error", 5, error_headers, error.encode())):
                head = "".join(f"{key}: {value}\n" for key, value in fields.items()) + "\n"
                content = bytes([number, at >> 8, at & 255, status]) + head.encode() + text
                (directory / f"{service.name}-{name}-{kind}").write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
