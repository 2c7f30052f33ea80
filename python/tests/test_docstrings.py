"""Every public name has a docstring whose example runs."""

import doctest
import importlib
import inspect

import pytest
import stepstore
from stepstore import StorageManager

MODULES = ["stepstore", "stepstore.exceptions", "stepstore._values", "stepstore._step", "stepstore._manager"]


def examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    tests = [test for name in MODULES for test in finder.find(importlib.import_module(name), name)]
    return [test for test in tests if test.examples]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # examples are short; they leave closing out
@pytest.mark.parametrize("example", examples(), ids=lambda test: test.name)
def test_example_runs(example: doctest.DocTest) -> None:
    with StorageManager("memory:") as store:
        example.globs.update(stepstore=stepstore, StorageManager=StorageManager, store=store)
        result = doctest.DocTestRunner().run(example)
    assert result.failed == 0


def public_names() -> list[str]:
    names = list(stepstore.__all__)
    names += [f"StorageManager.{n}" for n in vars(StorageManager) if not n.startswith("_")]
    return names


@pytest.mark.parametrize("name", public_names())
def test_public_name_is_documented(name: str) -> None:
    target = stepstore
    for part in name.split("."):
        target = getattr(target, part)
    doc = inspect.getdoc(target)
    assert doc, name
    is_error = inspect.isclass(target) and issubclass(target, Exception)
    if name.startswith("StorageManager.") or (inspect.isclass(target) and not is_error):
        assert ">>>" in doc, f"{name} has no example"
