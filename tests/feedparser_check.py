"""Reads feeds with feedparser and fails unless each one is flawless.

Usage: feedparser_check.py [--tags "ONE|OTHER"] FILE...
The files are .rss or .atom documents whose first entry is a hostile one, with those categories;
further entries are only checked for what every entry has. Needs the PyPI package feedparser.
"""

import sys

import feedparser

EMOJI = "\U0001F9E0"


def problems(path, tags):
    feed = feedparser.parse(path)
    if feed.bozo:
        yield f"not well-formed: {feed.get('bozo_exception')}"
        return
    for key in ("title", "link", "updated_parsed", "rights", "language"):
        if not feed.feed.get(key):
            yield f"the feed has no {key}"
    rels = {link.rel: link.href for link in feed.feed.get("links", [])}
    if not {"self", "alternate"} <= rels.keys():
        yield f"the feed's links are {sorted(rels)}"
    if feed.version not in ("rss20", "atom10"):
        yield f"the version is {feed.version!r}"
    if not feed.entries:
        yield "no entries"
        return
    ids = [entry.get("id") for entry in feed.entries]
    if len(set(ids)) != len(ids) or not all(ids):
        yield f"ids are missing or repeated: {ids}"
    for entry in feed.entries:
        for key in ("title", "link", "author", "published_parsed", "content", "summary"):
            if not entry.get(key):
                yield f"{entry.get('id')} has no {key}"
        # In Atom every id counts as a link for feedparser, whatever it is.
        if feed.version.startswith("rss") and entry.get("guidislink"):
            yield f"{entry.id} says that its id is a link"
        if not entry.link.startswith("https://"):
            yield f"the link is not absolute: {entry.link}"
    hostile = feed.entries[0]
    body = hostile.content[-1].value
    for what, text in (("title", hostile.title), ("body", body), ("summary", hostile.summary)):
        for wanted in (EMOJI, "]]"):
            if wanted not in text:
                yield f"{wanted!r} did not come back from the {what}: {text!r}"
    if "]]>" not in hostile.title.replace("&gt;", ">") or "]]>" not in body.replace("&gt;", ">"):
        yield f"']]>' did not come back: {hostile.title!r} {body!r}"
    for unwanted in ("<script", "<iframe", "javascript:", 'href="/', 'href="page'):
        if unwanted in body:
            yield f"{unwanted!r} came back: {body!r}"
    if [tag.term for tag in hostile.tags] != tags:
        yield f"the categories are {hostile.tags}"


def main(paths):
    tags = ["Pain & Sleep", "<Neurology>"]
    if paths[:1] == ["--tags"]:
        tags, paths = paths[1].split("|"), paths[2:]
    found = [f"{path}: {problem}" for path in paths for problem in problems(path, tags)]
    for line in found:
        print(line)
    if not paths:
        print("no files given")
    return 1 if found or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
