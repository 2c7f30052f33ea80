# shellcheck shell=bash
# Test suites: each runs as one phase that may fail, leaves a JUnit file, and count_suites adds them up.

suites=()
results=$build/results
rm -rf "$results/${suite_set:?}"
mkdir -p "$results/$suite_set"

# The secret of this run, which tests use wherever a secret may be anything, and the folder where they leave what they
# log. check_canary looks for the one in the other, and in all that was printed: call it last.
begin_canary() {
  STEPSTORE_TEST_CANARY=$("$venv/bin/python" tests/canary/canary.py new)
  STEPSTORE_TEST_TRACE=$build/trace/$suite_set
  export STEPSTORE_TEST_CANARY STEPSTORE_TEST_TRACE
  rm -rf "$STEPSTORE_TEST_TRACE"
  mkdir -p "$STEPSTORE_TEST_TRACE"
}
check_canary() {
  run_check 'no secret in logs and output' "$venv/bin/python" tests/canary/canary.py search "$STEPSTORE_TEST_TRACE" \
    "$logs" "$results/$suite_set" "$build"/*/Testing
  tail -n 1 "$(log_of 'no secret in logs and output')" | sed 's/^/      /'
}

# A failing suite lets the others run. One that fails without naming a failed test (a crash, nothing
# collected) is counted as a failure of its own by count_tests.py.
run_suite() {
  local name=$1 xml=$results/$suite_set/$1.xml
  shift
  attempt "$name" "${@//@XML@/$xml}"
  suites+=("$name=$status=$xml")
}

# A check that is not made of test cases counts as one test.
run_check() {
  local name=$1
  shift
  attempt "$name" "$@"
  suites+=("$name=$status=")
}

# Prints a line per suite and, last, the sum of them. Its exit status is the script's.
count_suites() {
  say ''
  say_total
  "${PYTHON_FOR_COUNT:-$venv/bin/python}" scripts/count_tests.py "${suites[@]}"
}

run_ctest() {
  local preset=$1
  run_suite "${2:-C++ tests ($preset)}" ctest --preset "$preset" -j "$jobs" --no-tests=error --output-junit '@XML@' "${@:3}"
}

# run_pytest NAME DIRECTORY...: those directories of the tree that exist.
run_pytest() {
  run_suite "$1" "$venv/bin/python" -m pytest -q -n "$jobs" --dist loadfile --junitxml '@XML@' "${@:2}"
}

# run_s3_programs NAME WRAPPER...: the store's and the manager's suites over S3, beside the servers that the wrapper
# starts.
run_s3_programs() {
  local program
  for program in conformance manager; do run_s3_program "$program" "$@"; done
}
run_s3_program() {
  run_suite "S3 $1 on $2" "${@:3}" -- "$build/dev/tests/s3/s3_$1_test" --gtest_brief=1 '--gtest_output=xml:@XML@'
}

# beside COMMAND...: begins a command that runs suites, beside those that follow. What it prints comes when it is joined.
beside_pids=()
beside() {
  local told=$logs/beside.${#beside_pids[@]}
  (
    # shellcheck disable=SC2030  # handed over by the file
    suites=()
    "$@"
    printf '%s\n' "${suites[@]}" >"$told.suites"
  ) >"$told" 2>&1 &
  beside_pids+=($!)
}
join_beside() {
  local number more=()
  for number in "${!beside_pids[@]}"; do
    wait "${beside_pids[$number]}"
    cat "$logs/beside.$number"
    mapfile -t more <"$logs/beside.$number.suites"
    # shellcheck disable=SC2031
    suites+=("${more[@]}")
  done
  beside_pids=()
}

# run_s3_pytest NAME FILES WRAPPER...: Python tests beside the servers that the wrapper starts.
run_s3_pytest() {
  local files
  read -ra files <<<"$2"
  run_suite "$1" "${@:3}" -- "$venv/bin/python" -m pytest -q -n "$jobs" --junitxml '@XML@' "${files[@]}"
}
