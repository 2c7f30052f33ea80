"""The manual names everything public: methods, options, fields, error codes, variables; C++ and Python alike."""

import dataclasses
import inspect
import re

import headers
import pytest
import stepstore
from docs_support import MANUAL, ROOT, words_in_code

WORDS = words_in_code(MANUAL)
VALUE_HEADERS = ("call.h", "doctor.h", "options.h", "presign.h", "reports.h", "s3_objects.h", "step.h")
VALUE_HEADERS += ("storage_manager.h",)
CLASSES = (
    ("storage_manager.h", "StorageManager", 13),
    ("storage_manager.h", "StepCursor", 1),
    ("step.h", "Step", 7),
    ("error.h", "StorageManagerError", 13),
    ("object_store.h", "ObjectStore", 8),
    ("presign.h", "LinkMaker", 1),
)
ENUMS = (
    ("error.h", "ErrorCode", 21),
    ("options.h", "IfExists", 3),
    ("step.h", "State", 2),
    ("reports.h", "Kind", 5),
    ("doctor.h", "Verdict", 4),
    ("log.h", "LogLevel", 6),
    ("presign.h", "LinkMethod", 2),
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


def configuration() -> list[list[str]]:
    """The cells of each row of the table: argument, URI parameter, variable, default, meaning."""
    text = MANUAL.read_text().split("\n## Configuration")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in re.findall(r"^\|.*\|$", text, re.M)]
    assert rows[0] == ["argument", "URI parameter", "variable", "default", "unit and meaning"]
    assert all(len(row) == 5 for row in rows)
    return rows[2:]


def column(number: int) -> list[str]:
    return [name for row in configuration() for name in re.findall(r"`(\w+)`", row[number])]


def test_every_variable_has_a_row():
    sources = [*(ROOT / "src/open").glob("*.cc"), *(ROOT / "src/s3/credentials").glob("*.cc")]
    read = {
        name
        for source in sources
        if not source.name.endswith("_test.cc")
        for name in re.findall(
            r'"((?:SM|AWS|STEPSTORE)_[A-Z0-9_]+|(?:https?|all)_proxy|(?:HTTPS|ALL|NO)_PROXY)"', source.read_text()
        )
    }
    variable = r"`([A-Z][A-Z0-9_]+|(?:https?|all)_proxy)`"
    explained = {word for row in configuration() for word in re.findall(variable, " ".join(row))}
    assert len(read) >= 15
    assert read == explained


def test_every_parameter_of_a_uri_has_a_row():
    known = (ROOT / "src/open/uri.cc").read_text().split("kParameters{")[1].split("}")[0]
    assert sorted(re.findall(r'"(\w+)"', known)) == sorted(column(1))


def test_every_option_of_a_manager_has_a_row():
    rows = [row for row in column(0) if row != "uri"]
    assert rows == headers.fields("options.h", "Options")
    only_cpp = {cells[0].strip("`") for cells in configuration() if cells[4].endswith("C++ only")}
    python = set(inspect.signature(stepstore.StorageManager).parameters)
    assert {"credentials" if row == "s3_credentials" else row for row in {"uri", *rows} - only_cpp} == python


def test_defaults_are_those_of_the_code():
    defaults = {row[0].strip("`"): row[3].strip("`") for row in configuration()}
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
    for name in ("s3_bucket_name", "s3_region_name", "s3_endpoint_url", "s3_profile"):
        assert python[name].default is None
    client = " ".join((ROOT / "src/http/client.h").read_text().split())
    for name in ("connect_timeout", "first_byte_timeout", "stall_timeout"):
        number, written = defaults[name].split()
        assert written == "s"
        assert f"{name}{{{number}'000}};" in client
    assert "total_timeout{0};" in client
    retries = (ROOT / "src/s3/retry.h").read_text()
    assert f"int attempts_max = {defaults['attempts_max'].split('`, ')[-1]};" in retries
    for name in ("s3_anonymous", "allow_http"):
        assert defaults[name] == "false"
        assert f"bool {name} = false;" in header
        assert python[name].default is False
    assert defaults["prefer_s3"] == "true"
    assert "bool prefer_s3 = true;" in header
    assert python["prefer_s3"].default is True
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
