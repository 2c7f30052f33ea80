# shellcheck shell=bash
# The trials by force, and how large each is in `./dev ci` and in `./dev long`. One line per trial:
#   name | servers that run beside it | program | its arguments in ci, - for none of it | its arguments in long
# Source it after servers.sh.
trials='
kill -9 of the importer at random moments    |            | tests/kill/kill.py       | random 60            | random 500
the same on S3, versitygw                    | versitygw  | tests/kill/kill.py       | --servers random 20  | --servers random 500
the same on S3, Ceph                         | ceph16     | tests/kill/kill.py       | --servers random 10  | --servers random 500
kill -9 before each system call              |            | tests/kill/kill.py       | syscalls             | syscalls
the same on S3, versitygw, with each packet  | versitygw  | tests/kill/kill.py       | --servers syscalls   | --servers syscalls
the same on S3, Ceph, with each packet       | ceph16     | tests/kill/kill.py       | -                    | --servers syscalls
threads and processes on the same steps      |            | build/dev/tests/storm    | 10                   | 60
the same on S3, versitygw                    | versitygw  | build/dev/tests/storm    | --servers 10         | --servers 60
the same on S3, Ceph                         | ceph16     | build/dev/tests/storm    | --servers 10         | --servers 60
the same on S3, moto                         | moto       | build/dev/tests/storm    | -                    | --servers 60
the same on S3, our own server               | stepstore  | build/dev/tests/storm    | -                    | --servers 60
managers and event loops that come and go    |            | tests/aio/come_and_go.py | 500 50               | 10000 1000
mutants of the protocol are caught           |            | tests/mutants/mutants.py | build/dev carried_parts no_previous_commits writer_skips_session_root | build/dev
'

# run_trials ci|long [WORD]: all, or those whose name contains the word.
run_trials() {
  local size=$1 word=${2:-} name servers program small large options=() command=()
  while IFS='|' read -r name servers program small large; do
    read -r name <<<"$name"
    read -ra servers <<<"$servers"
    read -r program <<<"$program"
    [[ -n $name && $name == *"$word"* ]] || continue
    read -ra options <<<"$([[ $size == ci ]] && echo "$small" || echo "$large")"
    [[ ${options[*]} == - ]] && continue
    command=("$program" "${options[@]}")
    [[ $program == *.py ]] && command=("$venv/bin/python" "${command[@]}")
    ((${#servers[@]})) && command=(with_servers "${servers[@]}" -- "${command[@]}")
    run_check "$name" "${command[@]}"
  done <<<"$trials"
}
