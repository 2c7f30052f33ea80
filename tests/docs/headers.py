"""Names that the public headers declare, found by their layout: enough for headers that clang-format has formatted."""

import re

from docs_support import ROOT

HEADERS = ROOT / "include" / "stepstore"


def code(header: str) -> str:
    text = re.sub(r"//.*", "", (HEADERS / header).read_text())
    return re.sub(r"^#.*", "", text, flags=re.M)


def _body(header: str, kind: str, name: str) -> str:
    match = re.search(rf"^{kind} {name}\b[^;{{]*\{{(.*?)^\}};", code(header), re.M | re.S)
    assert match, f"{header} has no {kind} {name}"
    return match[1]


def structs(header: str) -> list[str]:
    return re.findall(r"^struct (\w+) \{", code(header), re.M)


def fields(header: str, struct: str) -> list[str]:
    """The data members of a struct."""
    body = _body(header, "struct", struct)
    # Initialisers, bodies and template arguments hold names of other things.
    for inner in (r"\{[^{}]*\}", r"<[^<>]*>"):
        while re.search(inner, body):
            body = re.sub(inner, "", body)
    found = []
    for declaration in body.split(";"):
        if "(" in declaration or not declaration.strip() or declaration.split()[0] in ("enum", "friend", "static"):
            continue
        found += re.findall(r"(\w+)\s*(?:=[^,]*)?(?:,|$)", declaration.strip())
    return found


def methods(header: str, name: str) -> list[str]:
    """The public methods of a class, constructors and operators left out."""
    body = _body(header, "class", name).split("private:")[0]
    found = re.findall(r"^  [\w\[\]].*?\b([a-z]\w*)\(", body, re.M)
    return [method for method in dict.fromkeys(found) if method not in ("operator", "explicit", "requires")]


def enumerators(header: str, name: str) -> list[str]:
    match = re.search(rf"enum class {name}\b[^{{]*\{{(.*?)\}}", code(header), re.S)
    assert match, f"{header} has no enum {name}"
    return re.findall(r"\w+", match[1])


def functions(header: str) -> list[str]:
    return re.findall(r"^[\w:]+ ([a-z]\w*)\(", code(header), re.M)
