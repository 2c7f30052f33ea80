#!/usr/bin/env bash
# ./dev test: unit and conformance tests (C++), the same on S3 servers, the Python package, the command, the documents, a
# project that uses the installed library. The last line counts them.
# ./dev test --store s3://bucket/prefix[?endpoint=...&region=...]: only what runs over S3, against a bucket of yours.
suite_set='test'
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bucket=''
case ${1:-} in
  '') ;;
  --store) bucket=${2:-} ;;
  --store=*) bucket=${1#--store=} ;;
  *) die "test takes nothing but --store s3://bucket/prefix; not '$1'" ;;
esac
(($# == 0)) || [[ $bucket == s3://* ]] || die '--store takes s3://bucket/prefix[?endpoint=...&region=...]'

bash scripts/setup.sh base test
source scripts/build_steps.sh
source scripts/suites.sh
source scripts/servers.sh

beside_bucket() { "$venv/bin/python" tests/s3/own_bucket.py "$bucket" "$@"; }
# Says what will be written where, and ends here when something lies there.
[[ -z $bucket ]] || beside_bucket -- true || exit

build_preset dev
# The command under test is the one with assertions.
export STEPSTORE_BIN=$build/dev/cli/stepstore
install_python_package dev

if [[ -n $bucket ]]; then
  run_s3_programs 'your bucket' beside_bucket
  run_s3_pytest 'boto3 and copies on your bucket' "$(echo tests/s3/test_boto3_*.py tests/s3/test_copy.py)" beside_bucket
  count_suites
  exit
fi

need_moto
need_versitygw
begin_canary

# moto works on one core, whatever it is asked, and is slow: the rest of it runs in ./dev ci.
quick_cases() { GTEST_FILTER='-*PagesOfMany*:*moto_versioned*' "$@"; }
beside quick_cases run_s3_programs moto with_servers moto
# Much of this waits.
beside run_s3_pytest 'S3 from outside (moto and versitygw)' tests/s3 with_servers moto versitygw
run_ctest dev
run_s3_programs versitygw with_servers versitygw
for suite in python/tests cli/tests tests/docs tests/canary; do
  run_pytest "$suite" "$suite"
done
run_pytest 'signatures beside botocore' tests/sigv4
run_pytest 'tests of the checks' tests/lint tests/scripts tests/mutants tests/pitfalls
run_check 'each pitfall of S3 has its test' "$venv/bin/python" tests/pitfalls/pitfalls.py
run_check 'a project that uses the installed library' bash tests/consumer/run.sh "$build/dev"
join_beside
check_canary
count_suites
