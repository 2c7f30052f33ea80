#!/usr/bin/env bash
# ./dev build: build/stepstore, the command, and build/venv, whose bin/python imports stepstore.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bash scripts/setup.sh base
# shellcheck source=scripts/build_steps.sh
source scripts/build_steps.sh

build_preset release
link_command release
install_python_package release
say "The command: build/stepstore. The Python package: build/venv/bin/python -c 'import stepstore'"
say_total './dev build'
