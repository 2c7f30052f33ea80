#!/usr/bin/env bash
# ./dev fresh [--keep]: README's two commands in a new Debian 12 that has nothing but its base system.
# The tree is a clone of this repository's last commit. The machine's own apt sources, pip settings and certificates
# are passed in, so that it fetches from where this machine does. --keep leaves the system there to look at.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

((EUID == 0)) || die 'fresh makes a system to chroot into: run it as root (sudo ./dev fresh)'
bash scripts/setup.sh base fresh

suite=bookworm
base=$cache/debian-$suite.tar
system=$build/fresh
home=$system/root/stepstore
git diff --quiet HEAD -- || say "${bold}note: what is not committed is not in the clone${plain}"

# Where this machine gets Debian from: the first source that apt knows for the suite.
mirror() {
  # shellcheck disable=SC2016  # apt expands these itself
  apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' 2>/dev/null |
    awk -v suite="$suite" '$2 == suite { print $1; exit }'
}

make_base() {
  local made from
  from=$(mirror)
  [[ -n $from ]] || die "apt on this machine knows no source for Debian $suite"
  made=$(mktemp -d)
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$made" "$from"
  rm -rf "$made"/var/cache/apt/archives/*.deb
  tar -C "$made" -cf "$base.part" .
  mv "$base.part" "$base"
  rm -rf "$made"
}

unmount_all() {
  local at
  for at in dev/shm dev/pts dev proc; do
    mountpoint -q "$system/$at" && umount "$system/$at"
  done
  return 0
}
remove_system() {
  unmount_all
  # Never through a mount that did not come off.
  if grep -q " $system" /proc/mounts; then die "something is still mounted below $system"; fi
  rm -rf --one-file-system "$system"
}

copy_settings() {
  local file
  cp --dereference /etc/resolv.conf "$system/etc/resolv.conf"
  cp /etc/hosts "$system/etc/hosts"
  rm -rf "$system"/etc/apt/sources.list "$system"/etc/apt/sources.list.d
  mkdir -p "$system/etc/apt/sources.list.d" "$system/etc/apt/apt.conf.d" "$system/usr/local/share/ca-certificates"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources \
    /etc/apt/apt.conf.d/*proxy* /etc/apt/apt.conf.d/*registry* /etc/apt/auth.conf /etc/apt/auth.conf.d/* \
    /etc/apt/keyrings/* /usr/local/share/ca-certificates/* /etc/pip.conf "$HOME/.config/pip/pip.conf" "$HOME/.pip/pip.conf"; do
    [[ -f $file ]] && install -D -m "$(stat -c %a "$file")" "$file" "$system$file"
  done
  copy_go_settings
  chroot "$system" update-ca-certificates
}

# Where this machine gets Go modules from, if it has a Go that knows: a server for tests is built from them.
copy_go_settings() {
  local name value
  command -v go >/dev/null || return 0
  mkdir -p "$system/root/.config/go"
  for name in GOPROXY GONOPROXY GOSUMDB GONOSUMDB GOPRIVATE GOINSECURE; do
    value=$(go env "$name")
    [[ -z $value ]] || printf '%s=%s\n' "$name" "$value"
  done >"$system/root/.config/go/env"
}

make_system() {
  remove_system
  mkdir -p "$system"
  tar -C "$system" -xf "$base"
  chmod 755 "$system" # whoever is not root has to get past /
  copy_settings
  mount -t proc proc "$system/proc"
  mount --bind /dev "$system/dev"
  mount --bind /dev/pts "$system/dev/pts"
  mount -t tmpfs tmpfs "$system/dev/shm"
  git clone -q --no-hardlinks "file://$root" "$home"
}

# Only what points to registries, proxies and certificates comes along from this environment.
inside() {
  local name settings=()
  while IFS='=' read -r name _; do
    # A path that is only on this machine would mislead.
    [[ ${!name:-} == /* && ! -e $system${!name} ]] && continue
    case $name in
      PIP_* | *_proxy | *_PROXY | GOPROXY | GONOPROXY | GOSUMDB | GONOSUMDB | GOPRIVATE | GOINSECURE | SSL_CERT_* | REQUESTS_CA_BUNDLE | CURL_CA_BUNDLE) settings+=("$name=${!name}") ;;
    esac
  done < <(env)
  chroot "$system" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "${settings[@]}" \
    bash -c 'cd /root/stepstore && "$@"' inside "$@"
}

[[ -f $base ]] || phase "Fetch the base system of Debian $suite" make_base
trap unmount_all EXIT
phase "Make a new Debian $suite" make_system

failed=0
for command in demo test; do
  heading "./dev $command, in Debian $(<"$system/etc/debian_version")"
  begun=$(now_ms)
  if inside ./dev "$command"; then result=ok; else
    result=FAILED
    failed=1
  fi
  summary+=("$(printf '%-8s ./dev %-6s %s' "$result" "$command" "$(as_time $(($(now_ms) - begun)))")")
done
heading 'In a new Debian'
printf '%s\n' "${summary[@]}"
[[ ${1:-} == --keep ]] || phase 'Remove the system' remove_system
exit "$failed"
