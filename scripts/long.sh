#!/usr/bin/env bash
# ./dev long [WORD]: the trials of ./dev ci in their long versions (scripts/trials.sh), all or those whose name contains
# the word. All of them write docs/trials.md.
suite_set='long'
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bash scripts/setup.sh base test ci
source scripts/build_steps.sh
source scripts/suites.sh
source scripts/servers.sh
need_moto
need_versitygw
need_ceph
build_preset dev
build_preset release
configure_preset asan-ubsan
phase 'Build (asan-ubsan, the extension)' cmake --build --preset asan-ubsan --target _core
link_command release
install_python_package release

source scripts/trials.sh
run_trials long "${1:-}"
# Part of them would overwrite the figures of all.
[[ -n ${1:-} ]] || "$venv/bin/python" scripts/trials_page.py "$results/long/trials.tsv" docs/trials.md
count_suites
