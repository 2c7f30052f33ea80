# shellcheck shell=bash
# Real S3 servers for tests (tests/servers/README.md). Source it after lib.sh, once setup.sh has made build/venv; what
# is there already costs a fraction of a second. with_servers runs a command beside servers that are installed.

servers_py() { "$venv/bin/python" tests/servers/servers.py "$@"; }
with_servers() { servers_py run "$@"; }

need_server() {
  servers_py installed "$1" 2>/dev/null || phase "$2" servers_py install "$1"
}
need_moto() { need_server moto 'Install the moto server'; }
need_versitygw() { need_server versitygw 'Build versitygw (minutes, once)'; }

# Ceph comes as Debian packages, which setup.sh installs as root or by sudo.
need_ceph() {
  bash scripts/setup.sh ceph
  servers_py installed ceph16 || die 'this system has no Ceph that the tests can run on'
}
