"""What doctor said of the servers: compared with their traits and with an earlier measurement, and as a page.

scripts/servers_page.py asks and keeps; nothing here asks anybody.
"""

from __future__ import annotations

from typing import Any

from servers_earlier import EARLIER, REASONS

Answers = dict[str, Any]  # of one server: version, date, and missing or buckets

# What doctor and the catalogue both speak of: the trait, and the row that says `no` exactly where a server has it.
SAME = {
    "no-signatures": ("plain", "signature-checked"),
    "closes-connections": ("plain", "keep-alive"),
    "ignores-checksums": ("plain", "checksum-crc32c"),
    "ignores-content-md5": ("plain", "content-md5"),
    "ignores-delete-checksums": ("plain", "bulk-delete-checked"),
    "unquoted-if-match": ("plain", "if-match-quoted"),
    "ignores-conditional-delete": ("plain", "delete-if-match"),
    "ignores-conditional-completion": ("plain", "complete-if-none-match"),
    "ignores-if-match-on-completion": ("plain", "complete-if-match"),
    "ignores-conditions-when-versioned": ("versioned", "if-none-match"),
    "no-if-match-when-versioned": ("versioned", "if-match-bare"),
    "marker-refuses-create": ("versioned", "create-over-delete-marker"),
    "no-lifecycle": ("plain", "lifecycle"),
    "no-object-below-object": ("plain", "object-below-object"),
    "raw-listings": ("plain", "encoding-type"),
    "suffix-of-nothing-is-whole": ("plain", "suffix-range-of-nothing"),
}
# There both objects are kept, but only one of them is listed: the trait is about a refusal.
NOT_THE_SAME = {("minio", "no-object-below-object")}


# --- Comparing ---


def verdict_of(answers: Answers, bucket: str, row: str) -> str:
    """Empty: it was not asked."""
    rows = answers.get("buckets", {}).get(bucket, {}).get("rows", {})
    return str(rows[row]["verdict"]) if row in rows else ""


def against_traits(name: str, answers: Answers, traits: list[str]) -> list[str]:
    """Where doctor contradicts the catalogue."""
    wrong = []
    for trait, (bucket, row) in SAME.items():
        verdict = verdict_of(answers, bucket, row)
        if verdict in ("", "unknown") or (name, trait) in NOT_THE_SAME:
            continue
        if (verdict == "no") != (trait in traits):
            has = "has" if trait in traits else "lacks"
            wrong.append(f"{name}: catalogue.py {has} {trait}, and doctor says {verdict} to {row} ({bucket} bucket)")
    return wrong


def differences(name: str, answers: Answers) -> dict[tuple[str, str], tuple[str, str]]:
    """Bucket and row, with the verdict of the earlier measurement and doctor's."""
    found = {}
    for (bucket, row), earlier in EARLIER.items():
        verdict = verdict_of(answers, bucket, row)
        if name in earlier and verdict not in ("", "unknown", earlier[name]):
            found[bucket, row] = (earlier[name], verdict)
    return found


def against_earlier(name: str, answers: Answers) -> list[str]:
    found = differences(name, answers)
    wrong = [
        f"{name}: {row} ({bucket} bucket) was {before} and is {now}: say why in servers_earlier.py"
        for (bucket, row), (before, now) in found.items()
        if (name, bucket, row) not in REASONS
    ]
    for server, bucket, row in REASONS:
        asked = verdict_of(answers, bucket, row) not in ("", "unknown")
        if server == name and asked and (bucket, row) not in found:
            wrong.append(f"{name}: {row} ({bucket} bucket) is as it was: take its reason out of servers_earlier.py")
    return wrong


# --- The page ---

HEAD = """# What real S3 servers do

Written by `scripts/servers_page.py`, which runs `stepstore doctor` on each of them (`./dev long doctor`); do not edit.
Each server was asked on this machine's loopback, with its defaults but for what `tests/servers/start.py` says. `yes`
and `no` answer the question; `partly` is told below; `?` had no answer; an empty field was not asked.
**no** stands where stepstore needs a yes.
"""
VERSIONED_HEAD = """
## A bucket that keeps versions

Only what is different there from the same server's plain bucket.
"""


def cell(answers: Answers, bucket: str, row: str) -> str:
    verdict = verdict_of(answers, bucket, row)
    if verdict == "unknown":
        return "?"
    if verdict == "no" and answers["buckets"][bucket]["rows"][row]["needed"]:
        return "**no**"
    return verdict


def escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def table_row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def questions(kept: dict[str, Answers], bucket: str) -> dict[str, tuple[str, str]]:
    """Area and what was tried, by name, in the order of asking."""
    found: dict[str, tuple[str, str]] = {}
    for answers in kept.values():
        for name, row in answers.get("buckets", {}).get(bucket, {}).get("rows", {}).items():
            found.setdefault(name, (row["area"], row["tried"]))
    return found


def verdict_on(answers: Answers, bucket: str) -> str:
    told = answers.get("buckets", {}).get(bucket)
    if told is None:
        return ""
    if not told["fit"]:
        return "**not fit**"
    return f"fit, {len(told['notes'])} weaker" if told["notes"] else "fit"


def head_of(names: list[str]) -> str:
    return table_row(["area", "question", "what was tried", *names]) + table_row(["---"] * (len(names) + 3))


def plain_table(kept: dict[str, Answers], names: list[str]) -> str:
    text = "\n## A plain bucket\n\n" + head_of(names)
    text += table_row(["", "**verdict**", "", *(verdict_on(kept[name], "plain") for name in names)])
    for row, (area, tried) in questions(kept, "plain").items():
        text += table_row([area, row, escaped(tried), *(cell(kept[name], "plain", row) for name in names)])
    return text


def versioned_table(kept: dict[str, Answers], names: list[str]) -> str:
    names = [name for name in names if "versioned" in kept[name].get("buckets", {})]
    text = VERSIONED_HEAD + "\n" + head_of(names)
    text += table_row(["", "**verdict**", "", *(verdict_on(kept[name], "versioned") for name in names)])
    for row, (area, tried) in questions(kept, "versioned").items():
        cells = [cell(kept[name], "versioned", row) for name in names]
        if cells != [cell(kept[name], "plain", row) for name in names]:
            text += table_row([area, row, escaped(tried), *cells])
    return text


def what_was_seen(name: str, answers: Answers) -> str:
    text = f"\n### {name}\n\n"
    if "missing" in answers:
        return text + f"Not asked: {escaped(answers['missing'])}.\n"
    called = answers["buckets"]["plain"]["server"] or "nothing"
    text += f"Version {answers['version']}, asked on {answers['date']}; it calls itself {escaped(called)}.\n"
    for bucket, told in answers["buckets"].items():
        lines = [
            f"- {row}: {each['verdict']}. {escaped(each['seen'])}\n"
            for row, each in told["rows"].items()
            if each["verdict"] != "yes" and row not in ("versioning", "create-over-delete-marker")
        ]
        lines += [f"- weaker: {escaped(note)}\n" for note in told["notes"]]
        text += f"\nIn a {bucket} bucket:\n\n" + ("".join(lines) or "- nothing to tell\n")
    return text


def known_differences(kept: dict[str, Answers]) -> str:
    rows = [
        table_row([name, bucket, row, before, now, escaped(REASONS.get((name, bucket, row), "not known"))])
        for name, answers in kept.items()
        for (bucket, row), (before, now) in differences(name, answers).items()
    ]
    text = "\n## Known differences from an earlier measurement\n\n"
    if not rows:
        return text + "None.\n"
    head = table_row(["server", "bucket", "question", "before", "now", "why"]) + table_row(["---"] * 6)
    return text + head + "".join(rows)


def page_of(kept: dict[str, Answers]) -> str:
    names = list(kept)
    seen = "".join(what_was_seen(name, kept[name]) for name in names)
    return (
        HEAD
        + plain_table(kept, names)
        + versioned_table(kept, names)
        + "\n## What was seen\n"
        + seen
        + known_differences(kept)
    )
