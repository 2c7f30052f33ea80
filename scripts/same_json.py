"""Compares the JSON files of one name in two trees: same_json.py TREE TREE NAME. Says which differ."""

import json
import pathlib
import sys


def documents(tree: pathlib.Path, name: str) -> dict[pathlib.Path, object]:
    return {file.relative_to(tree): json.loads(file.read_bytes()) for file in tree.rglob(name)}


def main() -> int:
    first, second = (documents(pathlib.Path(tree), sys.argv[3]) for tree in sys.argv[1:3])
    differing = sorted(path for path in first | second if first.get(path) != second.get(path))
    for path in differing:
        print(f"{path} differs")
    print(f"{len(first)} files compared, {len(differing)} differ")
    return 1 if differing or not first else 0


if __name__ == "__main__":
    sys.exit(main())
