"""Every public name has a docstring: arguments, units, the errors that are raised, and an example that runs."""

import asyncio
import builtins
import dataclasses
import doctest
import functools
import importlib
import inspect
import math
import re
import textwrap
from collections.abc import Awaitable, Iterator
from typing import Any

import pytest
import stepstore
from stepstore import StepData, StorageManager, aio, exceptions

MANAGERS = (StorageManager, aio.StorageManager)
# What a text must say of a number or a time by this name. Another one fails until it has a row here.
UNITS = {
    "timeout": "seconds",
    "in_flight_bytes_max": "bytes",
    "size": "bytes",
    "bytes": "bytes",
    "created_at": "utc",
    "expires_at": "utc|created_at|the same",  # said just above it
    "concurrency": "steps",
    "keep_versions": "versions",
    "if_version": "version",
    "version": "kept older version|first store",
    "limit": "at most so many",
    "sessions": "number of",
    "steps": "number of|steps that",
    "legacy_steps": "number of",
    "components": "number of",
    "objects": r"objects \(files\)",
    "crc64": "crc-64/nvme",
    "http_status": "http status|no answer",
    "connect_timeout": "seconds",
    "first_byte_timeout": "seconds",
    "stall_timeout": "seconds",
    "total_timeout": "seconds",
    "attempts_max": "tries of one request",
    "connect": "seconds",
    "first_byte": "seconds",
    "total": "seconds",
    "bytes_sent": "over http",
    "bytes_received": "the same",  # said just above it
    "expires": "seconds",
}
# Calls of every method that may fail, with what it needs.
CALLS: dict[str, tuple[Any, ...]] = {
    "store_step_data": ("s", "1", "<p>"),
    "store_steps": ([StepData("s", "1", "<p>")],),
    "retrieve_step_data": ("s", "1"),
    "retrieve_steps": ([("s", "1")],),
    "stream_steps": ([("s", "1")],),
    "stat_step": ("s", "1"),
    "list_sessions": (),
    "iter_sessions": (),
    "list_steps_for_session": ("s",),
    "list_steps": ("s",),
    "iter_steps": ("s",),
    "delete_step": ("s", "1"),
    "delete_session": ("s",),
    "check": (),
    "doctor": (),
    "adopt": (),
    "presign": ("s", "1", "html"),
}
CANNOT_FAIL = {"get_storage_info", "close", "aclose"}


# --- What is public ---


def classes() -> list[type]:
    """Every public class once; `AsyncStorageManager` is `aio.StorageManager`."""
    modules = (stepstore, aio, exceptions)
    found = [getattr(module, name) for module in modules for name in module.__all__]
    return list(dict.fromkeys(each for each in found if inspect.isclass(each)))


def members(cls: type) -> dict[str, Any]:
    """The public methods and properties of a class, as it defines them itself."""
    kinds = (property, functools.cached_property)
    found = {name: value for name, value in vars(cls).items() if not name.startswith("_")}
    return {name: value for name, value in found.items() if inspect.isfunction(value) or isinstance(value, kinds)}


def title(cls: type) -> str:
    return "aio.StorageManager" if cls is aio.StorageManager else cls.__name__


MEMBERS = [(cls, name) for cls in classes() for name in members(cls)]
METHODS = [(cls, name) for cls in MANAGERS for name in members(cls)]
FAILING = [(cls, name) for cls, name in METHODS if name not in CANNOT_FAIL]
VALUES = [cls for cls in classes() if dataclasses.is_dataclass(cls)]


def name_of(value: object) -> str | None:
    return title(value) if isinstance(value, type) else None


def test_what_is_public_is_found() -> None:
    public = {getattr(stepstore, name) for name in stepstore.__all__}
    assert {value for value in public if not inspect.ismodule(value)} == set(classes())
    assert {value for value in public if inspect.ismodule(value)} == {aio, exceptions}
    errors = [cls for cls in classes() if issubclass(cls, Exception)]
    assert sorted(cls.__name__ for cls in errors) == exceptions.__all__
    assert len(MEMBERS) >= 45
    assert {name for _, name in FAILING} == set(CALLS)


# --- Reading docstrings ---


def own_text(target: Any) -> str:
    """The docstring that it has itself: one that is inherited tells of something else."""
    target = target.func if isinstance(target, functools.cached_property) else target
    return inspect.cleandoc(target.__doc__ or "")


def section(text: str, heading: str) -> dict[str, str]:
    """What stands below `Heading:`, by the names before the colons."""
    match = re.search(rf"^{heading}:\n((?:(?: .*)?\n)*)", text + "\n", re.M)
    entries: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", textwrap.dedent(match[1]).strip() if match else ""):
        names, _, explained = entry.partition(": ")
        entries |= {name.strip(): " ".join(explained.split()) for name in names.split(",") if explained}
    return entries


def arguments(cls: type, name: str) -> dict[str, str]:
    """What a docstring says of arguments; `As of ...` is looked up there."""
    text = own_text(cls if name == "__init__" else vars(cls)[name])
    said = section(text, "Args")
    if match := re.search(r"^.*\bArguments as of `(\w+)`", text, re.M):
        said = arguments(cls, match[1]) | said
    for argument, explained in said.items():
        if match := re.match(r"As of `(?:stepstore\.)?(\w+)`", explained):
            where = (StorageManager, "__init__") if match[1] == "StorageManager" else (cls, match[1])
            assert argument in arguments(*where), f"{argument} of {name} is not explained in {match[1]}"
            said[argument] = arguments(*where)[argument]
    return said


def shared_errors() -> set[str]:
    """The errors of every method, which the blocking class names."""
    return set(section(own_text(StorageManager), "Every method but `get_storage_info` and `close` may raise"))


# --- Docstrings, arguments and units ---


@pytest.mark.parametrize("target", [stepstore, aio, exceptions, *classes()], ids=lambda each: each.__name__)
def test_modules_and_classes_have_a_docstring_with_an_example(target: Any) -> None:
    assert ">>> " in own_text(target)


@pytest.mark.parametrize(("cls", "name"), MEMBERS, ids=name_of)
def test_methods_and_properties_have_a_docstring(cls: type, name: str) -> None:
    text = own_text(vars(cls)[name])
    assert text.split("\n")[0].endswith("."), text
    if cls in MANAGERS:  # `list_steps` is another name of a method
        called = f".{vars(cls)[name].__name__}("
        assert any(called in example.source for example in doctest.DocTestParser().get_examples(text)), "no example"


@pytest.mark.parametrize(("cls", "name"), [*METHODS, *((cls, "__init__") for cls in MANAGERS)], ids=name_of)
def test_every_argument_is_explained(cls: type, name: str) -> None:
    parameters = [each for each in inspect.signature(vars(cls)[name]).parameters.values() if each.name != "self"]
    said = arguments(cls, name)
    assert sorted(said) == sorted(each.name for each in parameters)
    for each in parameters:
        check_unit(each.name, str(each.annotation), said[each.name])


def check_unit(name: str, annotation: str, explained: str) -> None:
    if re.search(r"\b(int|float|datetime)\b", annotation):
        assert re.search(UNITS[name], explained.lower()), f"{name}: {explained!r} does not say {UNITS[name]!r}"


@pytest.mark.parametrize("cls", [*VALUES, exceptions.StorageManagerError], ids=name_of)
def test_every_field_is_explained(cls: type) -> None:
    if cls is StepData:
        assert "arguments of `store_step_data`" in own_text(cls)
        assert {field.name for field in dataclasses.fields(cls)} <= set(arguments(StorageManager, "store_step_data"))
        return
    said = section(own_text(cls), "Attributes")
    assert list(said) == list(cls.__annotations__)
    for name, annotation in cls.__annotations__.items():
        check_unit(name, str(annotation), said[name])


def test_properties_of_a_step_have_units() -> None:
    seen = 0
    for name, member in members(stepstore.Step).items():
        getter = member.func if isinstance(member, functools.cached_property) else member.fget
        annotation = str(getter.__annotations__["return"])
        check_unit(name, annotation, own_text(member))
        seen += bool(re.search(r"\b(int|datetime)\b", annotation))
    assert seen == 3


# --- Errors ---


@pytest.mark.parametrize(("cls", "name"), FAILING, ids=name_of)
def test_errors_are_named(cls: type, name: str) -> None:
    named = section(own_text(vars(cls)[name]), "Raises")
    assert "StorageManagerError" in named or name in {"store_steps", "retrieve_steps", "stream_steps"}
    for each in {*named, *shared_errors()}:
        kind = getattr(stepstore, each, None) or getattr(builtins, each)
        assert issubclass(kind, Exception), each


def test_the_class_names_what_every_method_may_raise() -> None:
    assert {"Timeout", "Closed", "Unavailable", "PermissionDenied", "Io", "TypeError"} <= shared_errors()
    assert "what those of `stepstore.StorageManager` may" in own_text(aio.StorageManager)


def outcome(cls: type, name: str, arguments: tuple[Any, ...], options: dict[str, Any], closed: bool) -> Any:
    """What a call gives, to its last item."""

    async def awaited() -> Any:
        async with aio.StorageManager("memory:") as store:
            if closed:
                await store.aclose()
            given = getattr(store, name)(*arguments, **options)
            if isinstance(given, Awaitable):
                return await given
            return [each async for each in given]

    if cls is aio.StorageManager:
        return asyncio.run(awaited())
    with StorageManager("memory:") as store:
        if closed:
            store.close()
        given = getattr(store, name)(*arguments, **options)
        return list(given) if isinstance(given, Iterator) else given


def wrong_calls(cls: type, name: str) -> Iterator[tuple[tuple[Any, ...], dict[str, Any], bool]]:
    """Calls that cannot succeed: arguments, options, whether the manager is closed."""
    usual = CALLS[name]
    parameters = inspect.signature(vars(cls)[name]).parameters
    yield usual, {}, True
    yield usual, {"timeout": 0}, False
    yield usual, {"timeout": math.nan}, False
    yield usual, {"timeout": "1"}, False
    if "session_id" in parameters:
        yield ("", *usual[1:]), {}, False
        yield (5, *usual[1:]), {}, False
    if "limit" in parameters:
        yield usual, {"limit": 0}, False
    if "prefix" in parameters:
        yield usual, {"prefix": "\ud800"}, False
    if "version" in parameters:
        yield usual, {"version": 7}, False
    if "steps" in parameters:
        yield ([5],), {}, False
        yield ([("s",)],), {}, False


@pytest.mark.parametrize(("cls", "name"), FAILING, ids=name_of)
def test_what_is_raised_is_documented(cls: type, name: str) -> None:
    text = own_text(vars(cls)[name])
    named = set(section(text, "Raises"))
    if "StorageManagerError" in named:
        named |= shared_errors()
    raised: dict[str, str] = {}
    for positional, options, closed in wrong_calls(cls, name):
        try:
            result = outcome(cls, name, positional, options, closed)
        except Exception as error:
            raised[type(error).__name__] = f"{positional} {options} {'closed' if closed else ''}"
        else:  # a batch gives the errors of its items
            assert all(isinstance(each, stepstore.StorageManagerError) for each in result)
            assert "not raised" in text
    assert {kind: call for kind, call in raised.items() if kind not in named} == {}
    assert {"InvalidArgument", "TypeError"} <= set(raised)


def test_what_cannot_fail_works_on_a_closed_manager() -> None:
    with StorageManager("memory:") as store:
        store.close()
        assert store.get_storage_info().backend == "memory"
        store.close()


# --- Examples ---


def examples() -> list[doctest.DocTest]:
    """Those of the blocking side; test_aio.py runs those of `stepstore.aio`."""
    modules = ["stepstore", "stepstore.exceptions", "stepstore._values", "stepstore._step", "stepstore._manager"]
    finder = doctest.DocTestFinder(exclude_empty=True)
    tests = [test for name in modules for test in finder.find(importlib.import_module(name), name)]
    return [test for test in tests if test.examples]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # examples are short; they leave closing out
@pytest.mark.parametrize("example", examples(), ids=lambda test: test.name)
def test_example_runs(example: doctest.DocTest) -> None:
    said: list[str] = []
    with StorageManager("memory:") as store:
        example.globs.update(stepstore=stepstore, StorageManager=StorageManager, store=store)
        result = doctest.DocTestRunner().run(example, out=said.append)
    assert result.failed == 0, "".join(said)


def test_every_documented_class_has_its_example_run() -> None:
    run = {test.name.rpartition(".")[2] for test in examples()}
    assert {cls.__name__ for cls in classes()} <= run
    assert set(members(StorageManager)) - {"list_steps"} <= run
