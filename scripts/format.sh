#!/usr/bin/env bash
# ./dev format: clang-format for C++, ruff for Python.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bash scripts/setup.sh base lint
mapfile -t cpp < <(project_files '*.cc' '*.h')
mapfile -t python < <(project_files '*.py' '*.pyi')
phase "clang-format, ${#cpp[@]} files" clang-format-19 -i "${cpp[@]}"
phase "ruff format, ${#python[@]} files" "$venv/bin/ruff" format "${python[@]}"
phase 'ruff check --fix' "$venv/bin/ruff" check --fix "${python[@]}"
