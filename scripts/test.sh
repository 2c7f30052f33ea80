#!/usr/bin/env bash
# ./dev test: unit and conformance tests (C++), the Python package, the command, the documents, a project that uses
# the installed library. The last line counts them.
suite_set='test'
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bash scripts/setup.sh base test
source scripts/build_steps.sh
source scripts/suites.sh

build_preset dev
# The command under test is the one with assertions.
export STEPSTORE_BIN=$build/dev/cli/stepstore
install_python_package

run_ctest dev
for suite in python/tests cli/tests tests/docs; do
  run_pytest "$suite" "$suite"
done
run_pytest 'signatures beside botocore' tests/sigv4
run_pytest 'tests of the checks' tests/lint tests/scripts
run_check 'a project that uses the installed library' bash tests/consumer/run.sh "$build/dev"
count_suites
