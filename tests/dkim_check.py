"""Verifies the DKIM signatures of messages with dkimpy and says how many of each message are good.

Usage: dkim_check.py RECORDS FOLDER
RECORDS has a line for each key: the name of its DNS record, a tab, and the text. FOLDER holds messages.
Prints a line for each message: its file name, the good signatures, and all signatures, with tabs between.
Needs the PyPI package dkimpy; the DNS is not asked.
"""

import os
import sys

import dkim


def read_records(path):
    with open(path, "rb") as lines:
        pairs = (line.rstrip(b"\n").split(b"\t", 1) for line in lines)
        return {name.lower() + b".": text for name, text in pairs}


def good(message, number, records):
    try:
        return dkim.DKIM(message).verify(number, dnsfunc=lambda name, timeout=5: records.get(name.lower()))
    except dkim.DKIMException:
        return False


def main(records_file, folder):
    records = read_records(records_file)
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            message = file.read()
        fields = dkim.rfc822_parse(message)[0]
        signatures = sum(field.lower() == b"dkim-signature" for field, _ in fields)
        passed = sum(good(message, number, records) for number in range(signatures))
        print(name, passed, signatures, sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
