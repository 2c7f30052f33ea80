#!/usr/bin/env bash
# ./dev bench [ARGUMENTS]: builds the release and measures single steps, by bench/run.py.
# ./dev bench peers [ARGUMENTS]: many steps beside other S3 clients, by bench/peers_run.py.
# ./dev bench pauses [ARGUMENTS]: how long storing makes an event loop pause, by bench/loop_pause.py.
# ./dev bench import [ARGUMENTS]: many steps from disk beside s5cmd, by bench/import_many.py.
# ./dev bench storm [ARGUMENTS]: what is sent while a server answers 503, beside other clients, by bench/storm.py.
# Each writes its page into docs/benchmarks/, and docs/benchmarks.md, which sums up all of them, anew. With --smoke each
# goes once through in less than a minute and writes nothing.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bash scripts/setup.sh base bench
source scripts/build_steps.sh
source scripts/servers.sh
build_preset bench
link_command bench
install_python_package release
install_peers() {
  "$venv/bin/python" -m venv "$build/venv-peers"
  "$build/venv-peers/bin/python" -m pip install --disable-pip-version-check -r bench/peers/requirements.txt
}
need_peers() {
  local wanted
  wanted=$(sha256sum <bench/peers/requirements.txt)
  up_to_date bench-peers "$wanted" && return
  phase 'Install the other clients' install_peers
  set_stamp bench-peers "$wanted"
}

# Rust's object_store is measured where there is a cargo to build it with.
need_native_peer() {
  command -v cargo >/dev/null || return 0
  phase "Build the peer in Rust" cargo build --quiet --release \
    --manifest-path bench/peers/object_store/Cargo.toml --target-dir "$build/peers"
}

install_for_pictures() { "$venv/bin/python" -m pip install --disable-pip-version-check -r bench/requirements.txt; }
wanted=$(sha256sum <bench/requirements.txt)
if ! up_to_date bench-requirements "$wanted"; then
  phase 'Install Python packages of the benchmarks' install_for_pictures
  set_stamp bench-requirements "$wanted"
fi

case ${1:-} in
  peers | pauses | import | storm)
    need_peers
    [[ $1 != peers ]] || need_native_peer
    command=("$venv/bin/python")
    case $1 in
      peers) command+=(bench/peers_run.py) ;;
      pauses) command+=(bench/loop_pause.py) ;;
      storm) command+=(bench/storm.py) ;;
      import)
        need_versitygw
        command=(with_servers versitygw -- "${command[@]}" bench/import_many.py)
        ;;
    esac
    "${command[@]}" "${@:2}"
    say_total "./dev bench $1"
    exit
    ;;
esac

"$venv/bin/python" bench/run.py "$@"
say_total './dev bench'
