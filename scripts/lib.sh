# shellcheck shell=bash
# Shared by the scripts of ./dev: strict mode, where things lie, phases with their time, test suites.
set -Eeuo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build
logs=$build/logs
stamps=$build/stamps
cache=${XDG_CACHE_HOME:-$HOME/.cache}/stepstore
venv=$build/venv
jobs=${JOBS:-$(nproc)}
verbose=${STEPSTORE_VERBOSE:-0}
export CMAKE_BUILD_PARALLEL_LEVEL=$jobs
# One name for the compiler, whoever calls it: ccache tells them apart. The same sources in another clone, or built in
# another directory, are the same to it.
export CXX=${CXX:-c++} CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
mkdir -p "$logs" "$stamps"
cd "$root"

if [[ -t 1 ]]; then
  bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' dim=$'\e[2m' plain=$'\e[0m'
else
  bold='' red='' green='' dim='' plain=''
fi

say() { printf '%s\n' "$*"; }
heading() { printf '%s== %s%s\n' "$bold" "$*" "$plain"; }
die() {
  printf '%s./dev: %s%s\n' "$red" "$*" "$plain" >&2
  exit 1
}

# Milliseconds since the epoch, and a duration as people read it.
now_ms() { echo "$((${EPOCHREALTIME/[.,]/} / 1000))"; }
as_time() {
  local ms=$1
  if ((ms < 60000)); then
    printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
  else
    printf '%d min %02d s' $((ms / 60000)) $((ms % 60000 / 1000))
  fi
}

# On a terminal, shows the last line of a log while the foreground command writes it. It runs in the
# background, so that ctrl-C reaches the command and not only this.
watch_log() {
  local title=$1 log=$2 begun=$3 width line
  width=$(tput cols 2>/dev/null || echo 80)
  while sleep 0.5; do
    line=$(tail -n 1 "$log" 2>/dev/null | tr -dc '[:print:]')
    line="$title  $((($(now_ms) - begun) / 1000)) s  $line"
    printf '\r\e[K%s%s%s' "$dim" "${line:0:width-1}" "$plain"
  done
}

# attempt TITLE COMMAND...: runs the command with its output in build/logs/, prints how long it took and
# leaves its exit status in $status. Call it plainly, never with `if` or `||`: those switch `set -e` off
# inside the command.
status=0
log_of() { printf '%s\n' "$logs/$(tr -cs 'A-Za-z0-9' '-' <<<"$1" | sed 's/-$//').log"; }
attempt() {
  local title=$1 log begun watcher=''
  shift
  log=$(log_of "$title")
  begun=$(now_ms)
  : >"$log"
  set +e
  if [[ $verbose == 1 ]]; then
    heading "$title"
    (
      set -e
      "$@"
    ) 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
  else
    if [[ -t 1 ]]; then
      watch_log "$title" "$log" "$begun" &
      watcher=$!
    fi
    (
      set -e
      "$@"
    ) >"$log" 2>&1 </dev/null
    status=$?
    if [[ -n $watcher ]]; then
      kill "$watcher" 2>/dev/null
      wait "$watcher" 2>/dev/null
      printf '\r\e[K'
    fi
  fi
  set -e
  local took
  took=$(as_time $(($(now_ms) - begun)))
  if ((status == 0)); then
    printf '%sok%s    %-52s %s\n' "$green" "$plain" "$title" "$took"
    return
  fi
  printf '%sFAIL%s  %-52s %s\n' "$red" "$plain" "$title" "$took"
  {
    printf '      command: %s\n      status:  %s\n      log:     %s\n' "$*" "$status" "$log"
    if [[ $verbose != 1 ]]; then
      printf '      its last lines:\n'
      tail -n 30 "$log" | sed 's/^/      | /'
    fi
  } >&2
}

# phase TITLE COMMAND...: the same, and a failure ends the script.
phase() {
  attempt "$@"
  ((status == 0)) || exit "$status"
}

# The same number for the same files: their names, sizes and times.
fingerprint() {
  find "$@" -type f -not -name '*.pyc' -printf '%p %s %T@\n' | LC_ALL=C sort | sha256sum | cut -d' ' -f1
}

# up_to_date NAME VALUE: whether the stamp of that name holds the value; set_stamp writes it.
up_to_date() { [[ -f $stamps/$1 && $(<"$stamps/$1") == "$2" ]]; }
set_stamp() { printf '%s' "$2" >"$stamps/$1"; }

# Files of the repository that match the patterns, whether committed yet or not.
project_files() { git ls-files --cached --others --exclude-standard -- "$@" | LC_ALL=C sort -u | while
  IFS= read -r file; do [[ -f $file ]] && printf '%s\n' "$file"; done; true; }

begun_all=$(now_ms)
say_total() { say "${dim}${1:-all} took $(as_time $(($(now_ms) - begun_all)))${plain}"; }
