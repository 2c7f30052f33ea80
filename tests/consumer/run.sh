#!/usr/bin/env bash
# run.sh BUILD: installs that build into a new folder, moves the folder (nothing in it may name where it was), builds
# the project beside this script with find_package(stepstore), and runs it and the installed command.
set -Eeuo pipefail

build=$(realpath "$1")
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/installed"
cmake -S "$here" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Debug \
  -DCMAKE_PREFIX_PATH="$work/installed" -DCMAKE_CXX_COMPILER_LAUNCHER=ccache
cmake --build "$work/build"
"$work/build/consumer" "$work/store"
[[ $("$work/installed/bin/stepstore" ls "$work/store") == login-test ]]
echo 'the installed command lists what the project stored'
