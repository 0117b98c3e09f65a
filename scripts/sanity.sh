#!/bin/bash
# Runs ansible-test's sanity tests on a built and installed copy: through the collection link they don't work.
set -euo pipefail
cd "$(dirname "$0")/.."

work=${LLM_VERIFIER_CACHE:-/var/cache/llm-verifier}/sanity
rm -rf "$work/build" "$work/collections"
mkdir -p "$work/build"
ansible-galaxy collection build --force --output-path "$work/build" . >/dev/null
ansible-galaxy collection install --no-deps --force -p "$work/collections" "$work"/build/*.tar.gz >/dev/null
python3 -m pip config list >"$work/pip-settings"
# ansible-test hides this environment from pip and fetches a script that installs pip; so a home folder of its own
# holds pip's settings, and a script that takes pip from Python itself and then from the package index.
export HOME=$work/home
mkdir -p "$HOME/.config/pip" "$HOME/.ansible/test/cache"
{ echo "[global]"; sed -n "s/^[^=]*\.\([a-z-]*\)='\(.*\)'\$/\1 = \2/p" "$work/pip-settings" | sort -u -t= -k1,1; } >"$HOME/.config/pip/pip.conf"
cat >"$HOME/.ansible/test/cache/get_pip_24_2.py" <<'END'
import ensurepip, os, subprocess, sys
settings = dict(os.environ)
ensurepip.bootstrap()
words = [word for word in sys.argv[1:] if not word.startswith("--no-")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *words], env=settings))
END
cd "$work/collections/ansible_collections/llm_verifier/multi_region"
python=$(python3 -c 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1]}")')
rm -rf roles/image_build/files  # the workload is no plugin
# ansible-test asks git which files there are.
git init -q .
git add -A
ansible-test sanity --local --python "$python" --color no "$@"
