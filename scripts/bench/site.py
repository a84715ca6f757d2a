"""Makes a site to send from: configuration, summaries and a list of readers.

site.py FOLDER --segments S --recipients N --text CHARS --relay NAME,URL,CONNECTIONS [--relay …] [--dkim KEY]
"""

import argparse
import pathlib
import random

WORDS = """people with the condition who walked every day for half an hour reported less pain and slept
better than those who did not while the study was small and short so that its authors ask for more
research before anybody changes a treatment because of it""".split()
MOST_SUMMARIES = 60  # of one edition


def text(chars, seed):
    """Sentences of about so many characters, the same for the same seed."""
    chance = random.Random(seed)
    sentences, length = [], 0
    while length < chars:
        sentence = " ".join(chance.choices(WORDS, k=12)).capitalize() + "."
        sentences.append(sentence)
        length += len(sentence) + 1
    return " ".join(sentences)[:chars].rstrip(" .") + "."


def selection(number, summaries):
    """Three categories for segment `number`, another set for each."""
    stride = number // summaries + 1
    return sorted({(number + step * stride) % summaries for step in range(3)})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--segments", type=int, required=True)
    parser.add_argument("--recipients", type=int, required=True)
    parser.add_argument("--text", type=int, required=True)
    parser.add_argument("--relay", action="append", required=True)
    parser.add_argument("--dkim")
    given = parser.parse_args()
    summaries = min(given.segments, MOST_SUMMARIES)
    folder = given.folder
    for name in ("content", "subscribers"):
        (folder / name).mkdir(parents=True, exist_ok=True)

    config = [
        # Without the links to pages of our own, which take room, messages can have the size that is asked for.
        '[site]\npages = false\nname = "Example Research"\nurl = "https://research.example.org"\nlanguage = "en"\n'
        'tagline = "T"\ncopyright = "C"\npostal_address = "1 Sample Street, Exampletown"\n'
        '[mail]\nfrom = "Example Research <news@example.org>"\n'
        '[delivery]\nretry_first = "1s"\nretry_max = "2s"\n'
        '[[source]]\nname = "content"\nkind = "folder"\npath = "content"\n'
        '[[digest]]\nname = "weekly"\ntitle = "Weekly digest"\nschedule = ""\n'
        f"max_items = {MOST_SUMMARIES}\nfirst_edition_items = {MOST_SUMMARIES}\n"
    ]
    for relay in given.relay:
        name, url, connections = relay.split(",")
        config.append(f'[[relay]]\nname = "{name}"\nurl = "{url}"\nconnections = {connections}\n')
    if given.dkim:
        config.append(
            f'[[dkim]]\ndomain = "example.org"\nselector = "bench"\nkey_file = "{given.dkim}"\n'
        )
    for number in range(summaries):
        config.append(f'[[category]]\nslug = "topic-{number}"\nname = "Topic {number}"\n')
        (folder / "content" / f"summary-{number}.md").write_text(
            f'+++\ntitle = "Summary number {number} of the benchmark"\njournal = "Journal of Examples"\n'
            f'year = 2026\ndoi = "10.5555/bench.{number}"\npublished = 2026-01-02\n'
            f'categories = ["topic-{number}"]\n+++\n\n'
            f"## Simple Explanation\n\n{text(given.text, number)}\n\n"
            f"## Key Findings\n\n- {text(100, number + 1000)}\n- {text(100, number + 2000)}\n\n"
            f"## Study Limitations\n\n- {text(100, number + 3000)}\n"
        )
    (folder / "config.toml").write_text("\n".join(config))

    sets = [";".join(f"topic-{one}" for one in selection(n, summaries)) for n in range(given.segments)]
    if len(set(sets)) != given.segments:
        raise SystemExit(f"site.py: {given.segments} segments cannot be made of {summaries} categories")
    with open(folder / "readers.csv", "w") as readers:
        readers.write("email,name,digest,categories,status,consent_at,consent_source\n")
        for number in range(given.recipients):
            chosen = sets[number % given.segments]
            readers.write(
                f"reader{number}@example.com,Reader {number},weekly,{chosen},confirmed,2026-01-01,bench\n"
            )


main()
