"""A relay made of PyPI aiosmtpd: prints its port, records each message as a file.

aiosmtpd_relay.py FOLDER [--cert FILE --key FILE] [--implicit] [--mechanism PLAIN|LOGIN] [--no-starttls]

It ends when its standard input does. User and password are "user" and "pa ss:wörd".
"""

import argparse
import asyncio
import itertools
import logging
import pathlib
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

options = argparse.ArgumentParser()
options.add_argument("folder", type=pathlib.Path)
options.add_argument("--cert")
options.add_argument("--key")
options.add_argument("--implicit", action="store_true")
options.add_argument("--no-starttls", action="store_true")
options.add_argument("--mechanism")
options = options.parse_args()

# Servers that share a folder, one after the other, go on counting.
numbers = itertools.count(len(list(options.folder.iterdir())))
# It warns of AUTH without TLS and of failed handshakes, which the tests want.
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)


def record(kind, text):
    """One file an event; whole or not at all, as the test reads while this runs."""
    name = f"{next(numbers):06}.{kind}"
    unfinished = options.folder / f".{name}"
    unfinished.write_bytes(text)
    unfinished.rename(options.folder / name)


class Handler:
    async def handle_DATA(self, server, session, envelope):
        head = f"X-From: {envelope.mail_from}\r\nX-To: {','.join(envelope.rcpt_tos)}\r\n"
        record("message", head.encode() + envelope.content)
        return "250 2.0.0 taken"


def authenticate(server, session, envelope, mechanism, data):
    if not isinstance(data, LoginPassword):
        return AuthResult(success=False, handled=False)
    login = data.login + b" " + data.password
    record("login", mechanism.encode() + b" " + login)
    return AuthResult(success=login == "user pa ss:wörd".encode(), handled=False)


context = None
if options.cert:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.cert, options.key)

login = {}
if options.mechanism:
    unwanted = {"PLAIN", "LOGIN"} - {options.mechanism}
    login = {
        "auth_required": True,
        "auth_require_tls": not (options.implicit or options.no_starttls),
        "authenticator": authenticate,
        "auth_exclude_mechanism": sorted(unwanted),
    }


def factory():
    record("connection", b"")
    starttls = context and not options.implicit and not options.no_starttls
    return SMTP(
        Handler(),
        hostname="relay.test",
        tls_context=context if starttls else None,
        require_starttls=bool(starttls),
        **login,
    )


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        factory, "127.0.0.1", 0, ssl=context if options.implicit else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(main())
