#!/usr/bin/env bash
# ./dev setup [GROUP...]: Debian packages (scripts/packages.txt) and build/venv (scripts/requirements.txt; for the group
# lint also scripts/requirements-lint.txt).
# Asks dpkg first, so a second run fetches nothing. The other scripts call this with the groups they need.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

groups=("$@")
((${#groups[@]})) || groups=(base test bench lint ci)

missing_packages() {
  local group package reason
  while read -r group package reason; do
    [[ -z $group || $group == '#'* ]] && continue
    [[ " ${groups[*]} " == *" $group "* ]] || continue
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
  done <"$root/scripts/packages.txt"
}

apt() { "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 "$@"; }
update_packages() { apt update; }
install_packages() { apt install -y --no-install-recommends "${missing[@]}"; }

command -v dpkg-query >/dev/null ||
  die 'this needs Debian 12 or a system like it (dpkg is missing); CONTRIBUTING.md lists what to install elsewhere'

mapfile -t missing < <(missing_packages)
if ((${#missing[@]})); then
  sudo=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "these Debian packages are missing: ${missing[*]}
Install them as root:  apt-get update && apt-get install --no-install-recommends ${missing[*]}"
    sudo=(sudo)
    # Asked for here, since the phases below have no terminal.
    sudo -v || die "sudo was refused. Ask an administrator to install: ${missing[*]}"
  fi
  say "Debian packages to install: ${missing[*]}"
  phase 'Ask apt for its lists' update_packages
  phase "Install ${#missing[@]} Debian packages" install_packages
fi

python=${PYTHON:-python3}
command -v "$python" >/dev/null || die "there is no $python; set PYTHON to an interpreter, 3.11 or newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  die "$("$python" -V) is too old; set PYTHON to 3.11 or newer"

make_venv() {
  rm -rf "$venv"
  "$python" -m venv "$venv"
}
fill_venv() { "$venv/bin/python" -m pip install --disable-pip-version-check -r "$root/scripts/$1.txt"; }

# realpath: a shim such as pyenv's stays the same file when the interpreter behind it changes.
interpreter=$("$python" -c 'import os, sys; print(os.path.realpath(sys.executable), sys.version)')
if [[ ! -x $venv/bin/python ]] || ! up_to_date venv "$interpreter"; then
  phase 'Make build/venv' make_venv
  rm -f "$stamps"/requirements* "$stamps/python"
  set_stamp venv "$interpreter"
fi
lists=(requirements)
[[ " ${groups[*]} " == *' lint '* ]] && lists+=(requirements-lint)
for list in "${lists[@]}"; do
  wanted=$(sha256sum <"$root/scripts/$list.txt")
  up_to_date "$list" "$wanted" && continue
  phase "Install Python packages into build/venv ($list.txt)" fill_venv "$list"
  set_stamp "$list" "$wanted"
done
mkdir -p "$cache"
