# shellcheck shell=bash
# The trials by force, and how large each is in `./dev ci` and in `./dev long`. One line per trial:
#   name | servers that run beside it | program | its arguments in ci, - for none of it | its arguments in long
# Source it after servers.sh.
trials='
kill -9 of the importer, local            |           | tests/kill/kill.py       | random 60            | random 500
kill -9 of the importer, versitygw        | versitygw | tests/kill/kill.py       | --servers random 20  | --servers random 500
kill -9 of the importer, Ceph             | ceph16    | tests/kill/kill.py       | --servers random 10  | --servers random 500
kill -9 before each system call, local    |           | tests/kill/kill.py       | syscalls             | syscalls
kill -9 before each packet, versitygw     | versitygw | tests/kill/kill.py       | --servers syscalls   | --servers syscalls
kill -9 before each packet, Ceph          | ceph16    | tests/kill/kill.py       | -                    | --servers syscalls
races on the same steps, local            |           | build/dev/tests/storm    | 10                   | 60
races on the same steps, versitygw        | versitygw | build/dev/tests/storm    | --servers 10         | --servers 60
races on the same steps, Ceph             | ceph16    | build/dev/tests/storm    | --servers 10         | --servers 60
races on the same steps, moto             | moto      | build/dev/tests/storm    | -                    | --servers 60
races on the same steps, our own server   | stepstore | build/dev/tests/storm    | -                    | --servers 60
fault sweep: every request, every fault   |           | build/dev/tests/s3/fault_sweep | -              | --whole
managers and event loops that come and go |           | tests/aio/come_and_go.py | 500 50               | 10000 1000
loops that come and go, address sanitizer |           | tests/aio/sanitized.sh   | 500 50               | 10000 1000
doctor on every server                    |           | scripts/servers_page.py  | --check moto versitygw | --install
mutants of the protocol are caught        |           | tests/mutants/mutants.py | build/dev carried_parts no_previous_commits writer_skips_session_root | build/dev
'

trial_names() { sed -n 's/^\([^|]*[^| ]\) *|.*/\1/p' <<<"$trials"; }

# run_trials ci|long [WORD]: all, or those whose name contains the word. Those of size long leave their line in
# docs/trials.tsv and docs/trials.md; one that runs already, in another lane, is left to that.
run_trials() {
  local size=$1 word=${2:-} name servers program small large begun lane options=() command=()
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
    # Its log has its name, whichever lane it is run in. The lock goes with this process.
    exec {lane}>"$logs/$(tr -cs 'A-Za-z0-9' '-' <<<"$name")lock"
    if ! flock -n "$lane"; then
      say "left out: $name runs in another lane"
      continue
    fi
    begun=$(now_ms)
    run_check "$name" "${command[@]}"
    if [[ $size == long ]]; then
      trial_names | "$venv/bin/python" scripts/trials_page.py record "$name" "$program ${options[*]}" "$status" \
        $(($(now_ms) - begun)) "$(tail -n 2 "$(log_of "$name")")"
    fi
    exec {lane}>&-
  done <<<"$trials"
}
