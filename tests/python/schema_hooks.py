"""What Schemathesis has to know about the room beside docs/openapi.json.

How a guest gets in, what no keyword of JSON Schema can say, and which answers do not end.
"""

import os

import requests
import schemathesis
from hypothesis import strategies

ROOM = os.environ["ONIONROOM_URL"]

# The rules for names (docs/protocol.md) are longer than a pattern. These are names by them, and none of the reserved words.
NAMES = strategies.from_regex(r"[B-Z][a-z]{7,15}( [B-Z][a-z]{7,11})?", fullmatch=True)
schemathesis.openapi.format("onionroom-name", NAMES)
# The longest has 256 bytes in UTF-8, and a length counts characters.
schemathesis.openapi.format("onionroom-passphrase", strategies.from_regex(r"[!-~][ -~]{7,100}", fullmatch=True))


@schemathesis.auth()
class Guest:
    """A guest of the room, by the token in a header or in the cookie of the page."""

    def get(self, case, context):
        return requests.post(f"{ROOM}/rooms/main/guests", timeout=10).json()["token"]

    def set(self, case, token, context):
        schemes = {name for one in case.operation.definition.raw.get("security", []) for name in one}
        if "token" in schemes:
            case.headers["Authorization"] = f"Bearer {token}"
        if "cookie" in schemes:
            case.cookies[COOKIE] = token


COOKIE = "guest" + ROOM.rsplit(":", 1)[1]


@schemathesis.hook
def before_call(context, case, kwargs):
    path = case.operation.path
    if case.operation.method == "post" and "/page/" in path:
        # What a browser says of a form of the room's own.
        case.headers["Sec-Fetch-Site"] = "same-origin"
    if case.operation.label in [f"POST /rooms/{{room}}/{what}" for what in ("messages", "acts", "claims", "private")]:
        one_id(case)
    if case.operation.label == "GET /rooms/{room}/messages":
        one_way_to_read(case)
    if path.endswith("/page/messages") and "plain" not in (case.query or {}):
        kwargs["hooks"] = {"response": read_the_beginning}


def one_id(case):
    """A message, an act or a claim has an id in one of two places, or the same in both: no schema says that of a header and a body."""
    positive = case.meta and case.meta.generation.mode.is_positive
    if not positive or not isinstance(case.body, dict):
        return
    id = case.body.get("id")
    if id is not None and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = id
    elif id is None and "Idempotency-Key" not in case.headers:
        case.body["id"] = "an-id"


def one_way_to_read(case):
    """Older messages, or those around one, are asked for in place of newer ones: no schema says that one parameter excludes another."""
    positive = case.meta and case.meta.generation.mode.is_positive
    ways = [way for way in ("around", "before") if positive and case.query and way in case.query]
    for name in ("after", "newest", "wait", "private", "before") if ways else ():
        if name != ways[0]:
            case.query.pop(name, None)


def read_the_beginning(response, **kwargs):
    """Reads what is there of an answer that does not end."""
    if response.headers.get("Transfer-Encoding") == "chunked":
        response._content = response.raw.read1(64 * 1024, decode_content=True)
        response.close()
