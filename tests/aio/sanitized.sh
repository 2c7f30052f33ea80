#!/usr/bin/env bash
# tests/aio/sanitized.sh ARGUMENTS: come_and_go.py with the extension of the preset asan-ubsan, which has to be built.
# The address sanitizer also looks for memory that is left at the end; for that, Python takes all of its own by malloc.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

package=$(mktemp -d)
trap 'rm -rf "$package"' EXIT
mkdir "$package/stepstore"
ln -s "$PWD"/python/stepstore/*.py "$PWD"/build/asan-ubsan/python/_core.*.so "$package/stepstore"

libraries=()
# libstdc++ too: its exceptions are intercepted, and Python does not load it.
for each in libasan.so libubsan.so libstdc++.so; do libraries+=("$(g++ -print-file-name="$each")"); done
env LD_PRELOAD="${libraries[*]}" PYTHONMALLOC=malloc PYTHONPATH="$package" \
  ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=16 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
  build/venv/bin/python tests/aio/come_and_go.py "$@"
