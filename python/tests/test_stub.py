"""The hand-written stub names what the extension has, no more and no less."""

import ast
from pathlib import Path

from stepstore import _core

STUB = Path(__file__).resolve().parents[1] / "stepstore" / "_core.pyi"


def names(body: list[ast.stmt], prefix: str = "") -> dict[str, int]:
    """Every public name of the stub, with the number of a function's parameters, self included."""
    out: dict[str, int] = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            out[prefix + node.name] = -1
            out |= names(node.body, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            out[prefix + node.name] = len(node.args.args)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            out[prefix + node.target.id] = -1
    return out


def has(module_or_class: object, prefix: str = "") -> dict[str, int]:
    out: dict[str, int] = {}
    for name, value in vars(module_or_class).items():
        if name.startswith("_"):
            continue
        out[prefix + name] = -1
        if isinstance(value, type):
            out |= has(value, f"{name}.")
        elif hasattr(value, "__nb_signature__"):
            text = value.__nb_signature__[0][0]
            function = ast.parse(text.replace("\\", "") + ": ...").body[0]
            assert isinstance(function, ast.FunctionDef)
            out[prefix + name] = len(function.args.args)
    return out


def test_stub_and_extension_agree() -> None:
    assert names(ast.parse(STUB.read_text()).body) == has(_core)
