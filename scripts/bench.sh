#!/usr/bin/env bash
# ./dev bench [ARGUMENTS]: builds the release and hands over to bench/run.py, which measures and writes the figures down.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bash scripts/setup.sh base bench
source scripts/build_steps.sh
build_preset bench
link_command bench
install_python_package release
install_for_pictures() { "$venv/bin/python" -m pip install --disable-pip-version-check -r bench/requirements.txt; }
wanted=$(sha256sum <bench/requirements.txt)
if ! up_to_date bench-requirements "$wanted"; then
  phase 'Install Python packages of the benchmarks' install_for_pictures
  set_stamp bench-requirements "$wanted"
fi
"$venv/bin/python" bench/run.py "$@"
say_total './dev bench'
