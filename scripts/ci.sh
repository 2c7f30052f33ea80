#!/usr/bin/env bash
# ./dev ci: what a change has to pass beside ./dev test. Every suite runs, whatever failed before it; the last line
# counts them.
suite_set='ci'
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bash scripts/setup.sh base test bench lint ci
source scripts/build_steps.sh
source scripts/suites.sh
source scripts/servers.sh
need_moto
need_versitygw
need_ceph
begin_canary

run_check 'lint' bash scripts/lint.sh --quick

build_preset dev
build_preset bench
link_command bench
install_python_package release

for preset in asan-ubsan tsan; do
  build_preset "$preset"
  run_ctest "$preset"
done

run_s3_programs Ceph with_servers ceph16
# What ./dev test leaves out for its time.
slow_cases() { GTEST_FILTER='*PagesOfMany*:*moto_versioned*' "$@"; }
slow_cases run_s3_programs 'moto, slow cases' with_servers moto
run_s3_pytest 'S3 from outside (Ceph)' tests/s3 with_servers ceph16
run_pytest 'tests of the servers' tests/servers

# Each of these is a program of its own folder that takes the number of rounds it may afford here; `./dev long`
# calls the same ones with more.
source scripts/trials.sh
run_trials ci
run_check 'benchmarks run' "$venv/bin/python" bench/run.py --smoke
# Beside the one other client that build/venv has; the rest have an environment of their own (scripts/bench.sh).
run_check 'benchmarks of many steps run' "$venv/bin/python" bench/peers_run.py --smoke --python "$venv/bin/python" \
  --clients stepstore_async stepstore_objects boto3_threads boto3_sequence
run_check 'benchmarks of pauses run' "$venv/bin/python" bench/loop_pause.py --smoke --python "$venv/bin/python" \
  --clients stepstore_async stepstore_objects stepstore_tasks stepstore_batch boto3_executor idle
check_canary
count_suites
