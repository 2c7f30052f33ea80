"""The manual names everything public: methods, options, fields, error codes, variables; C++ and Python alike."""

import dataclasses
import inspect
import re

import headers
import pytest
import stepstore
from docs_support import MANUAL, ROOT, words_in_code

WORDS = words_in_code(MANUAL)
VALUE_HEADERS = ("call.h", "options.h", "step.h", "storage_manager.h")
CLASSES = (
    ("storage_manager.h", "StorageManager", 13),
    ("storage_manager.h", "StepCursor", 1),
    ("step.h", "Step", 7),
    ("error.h", "StorageManagerError", 13),
    ("object_store.h", "ObjectStore", 8),
)
ENUMS = (
    ("error.h", "ErrorCode", 21),
    ("options.h", "IfExists", 3),
    ("step.h", "State", 2),
    ("storage_manager.h", "Kind", 5),
    ("log.h", "LogLevel", 6),
)


def missing(names) -> list[str]:
    return sorted(set(names) - WORDS)


@pytest.mark.parametrize(("header", "name", "at_least"), CLASSES)
def test_methods(header, name, at_least):
    methods = headers.methods(header, name)
    assert len(methods) >= at_least, f"the headers were not understood: {methods}"
    assert missing(methods) == []


@pytest.mark.parametrize("header", VALUE_HEADERS)
def test_structs_and_their_fields(header):
    for struct in headers.structs(header):
        if struct in ("std", "State"):
            continue
        fields = headers.fields(header, struct)
        assert fields, f"the header was not understood: {struct}"
        assert missing([struct, *fields]) == [], struct


@pytest.mark.parametrize(("header", "name", "count"), ENUMS)
def test_enumerators(header, name, count):
    names = headers.enumerators(header, name)
    assert len(names) == count
    assert missing(names) == []


def test_functions_of_the_log():
    functions = headers.functions("log.h")
    assert len(functions) == 3
    assert missing(functions) == []


def test_every_error_code_has_a_row_that_says_what_to_do():
    rows = dict(re.findall(r"^\| `([A-Z]\w+)` \| (\S.*?) \| .*\|$", MANUAL.read_text(), re.M))
    assert list(rows) == headers.enumerators("error.h", "ErrorCode")


def test_every_variable_has_a_row():
    read = set(re.findall(r'variable\("(\w+)"\)', (ROOT / "src/open/open.cc").read_text()))
    assert read == set(re.findall(r"^\|[^|]*\| `([A-Z_]+)` \|", MANUAL.read_text(), re.M))


def test_every_option_of_a_manager_has_a_row():
    table = MANUAL.read_text().split("## Configuration")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", table, re.M)
    assert [row for row in rows if row != "uri"] == headers.fields("options.h", "Options")
    python = [
        name
        for name in inspect.signature(stepstore.StorageManager).parameters
        if not name.startswith(("s3_", "prefer_s3"))
    ]
    assert set(python) <= set(rows)
    only_cpp = set(re.findall(r"^\| `(\w+)` \|.*C\+\+ only \|$", table, re.M))
    assert set(rows) - only_cpp == set(python)


def test_defaults_are_those_of_the_code():
    defaults = dict(re.findall(r"^\| `(\w+)` \| [^|]*\| `?([^|`]+)`? \|", MANUAL.read_text(), re.M))
    header = " ".join(headers.code("options.h").split())
    python = inspect.signature(stepstore.StorageManager).parameters
    assert f"concurrency = {defaults['concurrency']};" in header
    assert python["concurrency"].default == int(defaults["concurrency"])
    assert f"std::uint32_t versions = {defaults['keep_versions']};" in header
    assert python["keep_versions"].default == int(defaults["keep_versions"])
    for name, unit, shift in (("component_bytes_max", "TiB", 40), ("stream_threshold", "MiB", 20)):
        number, written = defaults[name].split()
        assert written == unit
        assert f"{name} = std::uint64_t{{{number}}} << {shift};" in header
    assert defaults["local_base_path"] in (ROOT / "src/open/open.cc").read_text()


def python_classes() -> list[type]:
    return [value for name in stepstore.__all__ if isinstance(value := getattr(stepstore, name), type)]


@pytest.mark.parametrize("cls", python_classes(), ids=lambda cls: cls.__name__)
def test_python(cls):
    names = [cls.__name__]
    if dataclasses.is_dataclass(cls):
        names += [field.name for field in dataclasses.fields(cls)]
    for name, member in vars(cls).items():
        if name.startswith("_"):
            continue
        names.append(name)
        if inspect.isfunction(member):
            names += [parameter for parameter in inspect.signature(member).parameters if parameter != "self"]
    assert missing(names) == []


def test_built_in_bases_of_the_errors():
    rows = re.findall(r"^\| `([A-Z]\w+)` \| [^|]* \| *`?(\w*)`? *\|$", MANUAL.read_text(), re.M)
    assert len(rows) == len(headers.enumerators("error.h", "ErrorCode"))
    for name, base in rows:
        bases = [c.__name__ for c in getattr(stepstore, name).__bases__ if c is not stepstore.StorageManagerError]
        assert bases == ([base] if base else []), name
