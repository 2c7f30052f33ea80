# shellcheck shell=bash
# The trials by force, and how large each is in `./dev ci` and in `./dev long`. One line per trial:
#   name | script, called with STEPSTORE_BIN and the size | size in ci | size in long
trials='
kill -9 of the importer at random moments       | tests/kill/kill_importer.py | --rounds 60   | --rounds 500
a system call fails, or is the last one         | tests/kill/inject.py        | --every 1     | --every 1 --thorough
threads and processes on the same steps         | tests/kill/storm.py         | --seconds 20  | --seconds 600
mutants of the protocol are caught              | tests/mutants/mutants.py    | build/dev     | build/dev
'

# run_trials ci|long [WORD]: all, or those whose name contains the word.
run_trials() {
  local size=$1 word=${2:-} name script small large options=()
  while IFS='|' read -r name script small large; do
    read -r name <<<"$name"
    read -r script <<<"$script"
    [[ -n $name && $name == *"$word"* ]] || continue
    read -ra options <<<"$([[ $size == ci ]] && echo "$small" || echo "$large")"
    if [[ $script == *.py ]]; then
      run_check "$name" "$venv/bin/python" "$script" "${options[@]}"
    else
      run_check "$name" bash "$script" "${options[@]}"
    fi
  done <<<"$trials"
}
