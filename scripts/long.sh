#!/usr/bin/env bash
# ./dev long [WORD]: the trials of ./dev ci in their long versions (scripts/trials.sh), all or those whose name contains
# the word. Each leaves its line in docs/trials.md. Several may run at the same time, as lanes: the first builds, the
# others wait for it and build nothing.
suite_set="long-$$"
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

build_all() {
  bash scripts/setup.sh base test ci
  need_moto
  need_versitygw
  need_ceph
  build_preset dev
  build_preset release
  configure_preset asan-ubsan
  phase 'Build (asan-ubsan, the extension)' cmake --build --preset asan-ubsan --target _core
  link_command release
  install_python_package release
}

# Held alone while building, together with other lanes while trials run; the kernel gives it back with this process.
enter_lane() {
  local wanted lanes
  wanted=$(fingerprint CMakeLists.txt CMakePresets.json cmake pyproject.toml include src testing tests cli python scripts)
  exec {lanes}>"$build/lanes.lock"
  if flock -n -x "$lanes"; then
    build_all
    set_stamp lanes "$wanted"
    flock -s "$lanes"
    return
  fi
  say 'Another ./dev long is at work here; this one takes what that has built.'
  flock -s "$lanes"
  up_to_date lanes "$wanted" ||
    die 'the sources have changed since the other ./dev long built them; wait until it has ended, or use another clone'
}

source scripts/build_steps.sh
source scripts/suites.sh
source scripts/servers.sh
trap 'rm -rf "${results:?}/$suite_set"' EXIT
enter_lane

source scripts/trials.sh
run_trials long "${1:-}"
count_suites
