"""docs/benchmarks.md and its parts. Each measurement writes a page of its own into docs/benchmarks/, which says in
short what came out; the index is made of these each time, so that no measurement overwrites another's figures."""

from __future__ import annotations

from pathlib import Path

from basics import ROOT

DOCS = ROOT / "docs"
INDEX = DOCS / "benchmarks.md"
PARTS = DOCS / "benchmarks"
# In the order of the index: a part's page, the command that writes it, what it measures.
COMMANDS = (
    ("steps", "./dev bench", "a durable step, its CPU time, and a step over S3, one after the other"),
    ("peers", "./dev bench peers", "many steps over S3 at once, beside other S3 clients"),
    ("pauses", "./dev bench pauses", "how long storing makes an event loop pause"),
    ("import", "./dev bench import", "10,000 steps from disk to an S3 server"),
    ("storm", "./dev bench storm", "what is sent while a server answers 503"),
)
BEGIN, END = "<!-- in short -->", "<!-- in full -->"


def part(title: str, written: str, in_short: str, in_full: str) -> str:
    """A page. `written` says by what, when and where; pictures of `in_short` lie in ../pictures/."""
    return f"# {title}\n\n{written.strip()}\n\n{BEGIN}\n\n{in_short.strip()}\n\n{END}\n\n{in_full.strip()}\n"


def index() -> str:
    lines = [
        "# Measurements",
        "",
        "Assembled by the commands below from what each of them wrote into docs/benchmarks/; do not edit.",
        "",
        "| command | what it measures | all figures |",
        "|---|---|---|",
    ]
    found = [(name, *rest) for name, *rest in COMMANDS if (PARTS / f"{name}.md").exists()]
    for name, command, what in COMMANDS:
        link = f"[{name}](benchmarks/{name}.md)" if (name, command, what) in found else "not measured yet"
        lines.append(f"| `{command}` | {what} | {link} |")
    for name, *_ in found:
        head, rest = (PARTS / f"{name}.md").read_text().split(f"\n{BEGIN}\n")
        title, _, written = head.strip().partition("\n")
        in_short = rest.split(f"\n{END}\n")[0].strip().replace("](../", "](")
        lines += ["", f"## {title.removeprefix('# ')}", "", written.strip(), "", in_short]
    return "\n".join(lines) + "\n"


def write(name: str, text: str) -> None:
    """Writes the page of that name in COMMANDS, and the index anew."""
    page = PARTS / f"{name}.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text(text)
    INDEX.write_text(index())
    print(f"written: {page.relative_to(ROOT)}, {INDEX.relative_to(ROOT)}")


def picture(name: str) -> Path:
    """Where the picture of that name belongs."""
    path = DOCS / "pictures" / f"{name}.svg"
    path.parent.mkdir(exist_ok=True)
    return path
