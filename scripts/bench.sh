#!/usr/bin/env bash
# ./dev bench [ARGUMENTS]: builds the release and hands over to bench/run.py, which measures and writes the figures down.
# ./dev bench peers [ARGUMENTS]: the same beside other S3 clients, by bench/peers_run.py.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bash scripts/setup.sh base bench
source scripts/build_steps.sh
build_preset bench
link_command bench
install_python_package release
if [[ ${1:-} == peers ]]; then
  install_peers() {
    "$venv/bin/python" -m venv "$build/venv-peers"
    "$build/venv-peers/bin/python" -m pip install --disable-pip-version-check -r bench/peers/requirements.txt
  }
  wanted=$(sha256sum <bench/peers/requirements.txt)
  if ! up_to_date bench-peers "$wanted"; then
    phase 'Install the other clients' install_peers
    set_stamp bench-peers "$wanted"
  fi
  "$venv/bin/python" bench/peers_run.py "${@:2}"
  say_total './dev bench peers'
  exit
fi

install_for_pictures() { "$venv/bin/python" -m pip install --disable-pip-version-check -r bench/requirements.txt; }
wanted=$(sha256sum <bench/requirements.txt)
if ! up_to_date bench-requirements "$wanted"; then
  phase 'Install Python packages of the benchmarks' install_for_pictures
  set_stamp bench-requirements "$wanted"
fi
"$venv/bin/python" bench/run.py "$@"
say_total './dev bench'
