"""Looks at messages that smtp-sink kept.

messages.py size FOLDER                        the mean size of the messages on the wire
messages.py check FOLDER COUNT LEDGER URL      each parses, has a token of its own that `serve` at URL
                                               accepts, and matches the ledger; prints who left by them
"""

import email
import email.policy
import json
import pathlib
import sys
import urllib.error
import urllib.parse
import urllib.request


def read(path):
    """A message as it was sent: without the lines that the sink puts in front, with CRLF."""
    lines = path.read_bytes().replace(b"\r\n", b"\n").split(b"\n")
    at = 0
    while at < len(lines) and lines[at].startswith(b"X-"):
        at += 1
    if at < len(lines) and lines[at].startswith(b"Received: from"):
        at += 1
        while at < len(lines) and lines[at][:1] in (b" ", b"\t"):
            at += 1
    return b"\r\n".join(lines[at:])


def fail(path, why):
    sys.exit(f"messages.py: {path.name}: {why}")


def ask(url, data=None):
    request = urllib.request.Request(url, data=data)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def whole(folder):
    return sorted(path for path in pathlib.Path(folder).iterdir() if path.is_file())


def size(folder):
    sizes = [len(read(path)) for path in whole(folder)]
    if not sizes:
        sys.exit(f"messages.py: no message in {folder}")
    print(round(sum(sizes) / len(sizes)))


def check(folder, count, ledger, url):
    with open(ledger) as file:
        deliveries = {one["address"]: one for one in json.load(file)["deliveries"]}
    paths = whole(folder)
    if len(paths) < count:
        sys.exit(f"messages.py: {len(paths)} messages were kept, {count} are asked for")
    step = len(paths) / count
    tokens, left = set(), set()
    for path in (paths[int(number * step)] for number in range(count)):
        message = email.message_from_bytes(read(path), policy=email.policy.default)
        if message.defects or any(part.defects for part in message.walk()):
            fail(path, f"defects: {[part.defects for part in message.walk()]}")
        if [part.get_content_type() for part in message.iter_parts()] != ["text/plain", "text/html"]:
            fail(path, "not a text and an HTML part")
        for header in ("Date", "From", "To", "Subject", "Message-ID", "List-Unsubscribe"):
            if len(message.get_all(header, [])) != 1:
                fail(path, f"not one {header}")
        address = message["To"].addresses[0].addr_spec
        row = deliveries.get(address)
        if row is None:
            fail(path, "its reader is not in the ledger")
        if (row["state"], row["code"]) != ("sent", 250):
            fail(path, f"the ledger says {row['state']} {row['code']}")
        if row["message_id"].strip("<>") != str(message["Message-ID"]).strip().strip("<>"):
            fail(path, "another Message-ID than the ledger's")
        link = str(message["List-Unsubscribe"]).split("<", 1)[1].split(">", 1)[0]
        token = urllib.parse.urlsplit(link).path
        text = message.get_body(("plain",)).get_content()
        html = message.get_body(("html",)).get_content()
        if token not in text or token not in html:
            fail(path, "its link does not stand in both parts")
        if token in tokens:
            fail(path, "another message has the same token")
        tokens.add(token)
        if ask(url + token) != 200:
            fail(path, "serve does not know its token")
        if ask(url + token, b"List-Unsubscribe=One-Click") != 200:
            fail(path, "serve does not take its one-click request")
        left.add(address)
    print("\n".join(sorted(left)))


if sys.argv[1] == "size":
    size(sys.argv[2])
else:
    check(sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
