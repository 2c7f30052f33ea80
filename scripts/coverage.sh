#!/usr/bin/env bash
# ./dev coverage: line and branch coverage of C++ (by its tests and the command's) and of the Python package, printed
# and, by folder, written to docs/coverage.md.
suite_set='coverage'
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bash scripts/setup.sh base test
source scripts/build_steps.sh
source scripts/suites.sh
build_preset coverage
install_python_package dev
export STEPSTORE_BIN=$build/coverage/cli/stepstore COVERAGE_FILE=$build/coverage/python
find "$build/coverage" -name '*.gcda' -delete
rm -f "$COVERAGE_FILE"*

run_ctest coverage
run_pytest 'cli/tests' cli/tests
run_suite 'python/tests' "$venv/bin/python" -m coverage run -m pytest -q --junitxml '@XML@' python/tests
phase 'Add up C++' "$venv/bin/gcovr" --root "$root" --object-directory "$build/coverage" \
  --filter include/ --filter src/ --filter cli/ --exclude '.*_test\.cc' --exclude '.*_fixture\.h' \
  --exclude-directories ".*/CompilerIdCXX" \
  --exclude-throw-branches --exclude-unreachable-branches --gcov-ignore-parse-errors=negative_hits.warn \
  --txt "$build/coverage/cpp.txt" --json-summary "$build/coverage/cpp.json" --html-details "$build/coverage/cpp.html" -j "$jobs"
phase 'Add up Python' "$venv/bin/python" -m coverage combine -q
phase 'Report Python' "$venv/bin/python" -m coverage json -q -o "$build/coverage/python.json"
say ''
cat "$build/coverage/cpp.txt"
"$venv/bin/python" -m coverage report
"$venv/bin/python" scripts/coverage_page.py "$build/coverage/cpp.json" "$build/coverage/python.json" docs/coverage.md
say "By folder: docs/coverage.md"
say "File by file: build/coverage/cpp.html"
count_suites
