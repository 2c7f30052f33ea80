#!/usr/bin/env bash
# ./dev bench [ARGUMENTS]: builds the release and hands over to bench/run.py, which measures and writes the figures down.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bash scripts/setup.sh base bench
source scripts/build_steps.sh
build_preset bench
link_command bench
install_python_package release
[[ -f bench/run.py ]] || die 'bench/run.py is missing'
"$venv/bin/python" bench/run.py "$@"
say_total './dev bench'
