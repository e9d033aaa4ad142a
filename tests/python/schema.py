"""Holds docs/openapi.json against the running room, with Schemathesis.

    schema.py ONIONROOM      the program to start

It starts a room without limits and ends it. The seed is fixed, so that a failure is the same on every machine; another
one finds other things: ONIONROOM_SEED=2.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
DOCS = HERE.parent.parent / "docs"

SEED = os.environ.get("ONIONROOM_SEED", "1")
CASES_PER_OPERATION = os.environ.get("ONIONROOM_CASES", "25")

# As many messages and guests as there are cases, and texts as long as the description allows.
ROOM = {
    "ONIONROOM_ROOM_GUESTS": "10000",
    "ONIONROOM_ROOM_MESSAGE_BYTES": "32000",
    "ONIONROOM_ROOM_MESSAGES_PER_MINUTE": "0",
    "ONIONROOM_ROOM_ROOM_MESSAGES_PER_MINUTE": "0",
    "ONIONROOM_ROOM_JOINS_PER_MINUTE": "0",
    "ONIONROOM_LISTEN_REQUESTS_PER_SECOND": "0",
}
WORDS = ["--no-onion", "--ephemeral", "--local", "open", "--listen", "127.0.0.1:0"]


def main(program, *options):
    with tempfile.TemporaryDirectory() as directory:
        environment = {"PATH": os.environ["PATH"], "HOME": directory}
        room = subprocess.Popen(
            [program, *WORDS], env=environment | ROOM, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            url = room.stdout.readline().removeprefix("local: ").strip().rstrip("/")
            describe(pathlib.Path(directory), url)
            return check(directory, environment, url, options)
        finally:
            room.terminate()
            room.wait(timeout=30)


def describe(directory, url):
    """Puts the description of this room into the directory."""
    description = json.loads((DOCS / "openapi.json").read_text())
    # Its address has a port, with which the name of the cookie ends.
    description["components"]["securitySchemes"]["cookie"]["name"] += url.rsplit(":", 1)[1]
    (directory / "openapi.json").write_text(json.dumps(description))
    (directory / "asyncapi.json").write_text((DOCS / "asyncapi.json").read_text())


def check(directory, environment, url, options):
    environment |= {"ONIONROOM_URL": url, "SCHEMATHESIS_HOOKS": "schema_hooks", "PYTHONPATH": str(HERE)}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "120"}
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml")]
    command += ["run", f"{directory}/openapi.json", "--url", url, "--seed", SEED, "-n", CASES_PER_OPERATION]
    command += ["--request-timeout", "10", "--continue-on-failure", "--no-color", *options]
    # Schemathesis keeps what it found for the next run in the directory that it is started in.
    return subprocess.run(command, env=environment, cwd=directory).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
