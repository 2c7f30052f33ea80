#!/usr/bin/env bash
# ./dev lint: what can be told by reading. clang-tidy is asked again only about files that have changed; with --quick it
# begins with those that were changed last and stops after some minutes, since all take a quarter of an hour in a fresh
# clone.
suite_set='lint'
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bash scripts/setup.sh base test lint
source scripts/build_steps.sh
source scripts/suites.sh

mapfile -t cpp < <(project_files '*.cc' '*.h')
mapfile -t python < <(project_files '*.py' '*.pyi')
mapfile -t shell < <(project_files dev .ci/run '*.sh')

# clang-tidy takes each file's compiler flags and headers from a build.
build_preset dev
install_python_package dev

run_check "clang-format, ${#cpp[@]} files" clang-format-19 --dry-run --Werror "${cpp[@]}"
run_check 'layers, and every file in a target' "$venv/bin/python" tests/lint/check_layers.py
run_check "shellcheck, ${#shell[@]} scripts" shellcheck -x "${shell[@]}"
run_check "ruff format, ${#python[@]} files" "$venv/bin/ruff" format --check "${python[@]}"
run_check 'ruff check' "$venv/bin/ruff" check "${python[@]}"
run_check 'mypy' "$venv/bin/mypy"
# The examples, and every type that the installed package shows. It looks for packages where PATH has Python first, and
# is not to ask whether there is a newer one of itself.
pyright() { PATH=$venv/bin:$PATH PYRIGHT_PYTHON_IGNORE_WARNINGS=1 "$venv/bin/pyright" "$@"; }
run_check 'pyright' pyright
run_check "pyright, the package's types" pyright --verifytypes stepstore --ignoreexternal
in_time=()
[[ ${1:-} != --quick ]] || in_time=(--minutes 4)
run_check 'clang-tidy' "$venv/bin/python" scripts/tidy.py --jobs "$jobs" "${in_time[@]}" --cache "$cache/tidy" \
  "$build/dev" "$build/python-dev"
say "      $(grep 'not looked at' "$(log_of clang-tidy)" || echo 'clang-tidy knows every file to be clean, or has said what is not')"
count_suites
