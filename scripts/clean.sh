#!/usr/bin/env bash
# ./dev clean: removes build/. With --all also the cache folder, so that the next set-up fetches everything again.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rm -rf "$build"
if [[ ${1:-} == --all ]]; then rm -rf "$cache"; fi
say "build/ is gone"
