#!/usr/bin/env bash
# ./dev clean: removes build/. With --all also the cache folder, so that the next set-up fetches everything again.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Never into a system that `./dev fresh` still has mounted there.
rm -rf --one-file-system "$build"
if [[ ${1:-} == --all ]]; then rm -rf "$cache"; fi
say "build/ is gone"
