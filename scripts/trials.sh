# shellcheck shell=bash
# The trials by force, and how large each is in `./dev ci` and in `./dev long`. One line per trial:
#   name | program | its arguments in ci | its arguments in long
trials='
kill -9 of the importer at random moments       | tests/kill/kill.py          | random 60     | random 500
kill -9 before each system call                 | tests/kill/kill.py          | syscalls      | syscalls
threads and processes on the same steps         | build/dev/tests/storm       | 10            | 60
mutants of the protocol are caught              | tests/mutants/mutants.py    | build/dev carried_parts no_previous_commits plain_names_again reader_skips_session_root writer_skips_session_root version_copies_share_names | build/dev
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
      run_check "$name" "$script" "${options[@]}"
    fi
  done <<<"$trials"
}
