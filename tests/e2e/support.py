"""What the end-to-end tests of the AWS commands share: a simulated cloud, the program with a clean environment."""
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

KEY, SECRET = "AKIAPARALLAXSIM00001", "parallax-simulated-secret"


def check(condition, message):
    if not condition:
        raise AssertionError(message)


class Cloud:
    """`parallax sim aws` on a port of its own."""

    def __init__(self, program, *options):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([program, "sim", "aws", "--listen", "127.0.0.1:0", *options], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=self.log)
        for _ in range(1000):
            self.log.seek(0)
            if found := re.search(rb"http://127\.0\.0\.1:\d+", self.log.read()):
                self.url = found[0].decode()
                return
            time.sleep(0.02)
        self.close()
        raise AssertionError("the simulated cloud does not start")

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Program:
    """The program with nothing of the caller's environment but what is given."""

    def __init__(self, path, url, **environment):
        self.path = path
        self.home = tempfile.TemporaryDirectory(prefix="parallax-e2e-")
        self.environment = {"PATH": os.environ["PATH"], "HOME": self.home.name, "AWS_EC2_METADATA_DISABLED": "true",
                            "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-west-2",
                            "AWS_ENDPOINT_URL": url, **environment}

    def write(self, name, text, mode=0o600):
        path = pathlib.Path(self.home.name) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    def start(self, *words, **environment):
        merged = {**self.environment, **environment}
        return subprocess.Popen([self.path, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, cwd=self.home.name,
                                env={name: value for name, value in merged.items() if value is not None})

    def run(self, *words, stdin="", **environment):
        process = self.start(*words, **environment)
        out, err = process.communicate(stdin, timeout=60)
        return process.returncode, out, err

    def close(self):
        self.home.cleanup()


def run_cases(cases, only, make):
    """Each case gets what `make` gives; the last line counts."""
    passed = failed = 0
    for case in cases:
        if only and case.__name__ not in only:
            continue
        try:
            with make() as world:
                case(world)
            passed += 1
            print(f"ok: {case.__name__}", flush=True)
        except Exception as error:  # noqa: BLE001: every failure is a line, and the next case runs
            failed += 1
            print(f"FAILED: {case.__name__}: {type(error).__name__}: {error}", flush=True)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not passed else 0
