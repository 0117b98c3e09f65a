# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that turns a new set of namespaces into a node and runs runit as its first process."""

from __future__ import annotations

# Kernel settings of the whole machine that a kubelet would set: inside a node they are files of its own,
# so that nothing on the host changes.
SHADOWED_SYSCTLS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)

# Environment: NODE_DIR (the node's folder on the host), TREE (the shared root), NODE_NAME.
BOOT_SCRIPT = r"""#!/bin/sh
set -eu
hostname "$NODE_NAME"
root=$NODE_DIR/merged
rm -rf "$NODE_DIR/upper" "$NODE_DIR/work"
mkdir -p "$NODE_DIR/upper" "$NODE_DIR/work" "$root"
mount -t overlay overlay -o "lowerdir=$TREE,upperdir=$NODE_DIR/upper,workdir=$NODE_DIR/work" "$root"
mkdir -p "$root/node" "$root/old" "$root/opt"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
mount -t tmpfs -o mode=0755 run "$root/run"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mount --bind "$NODE_DIR/node" "$root/node"
while read -r source target; do
  mkdir -p "$root$target"
  mount --bind "$source" "$root$target"
  mount -o remount,bind,ro "$root$target"
done < "$NODE_DIR/binds"
mkdir -p "$root/run/machine-sysctls"
for key in @SHADOWED@; do
  [ -e "/proc/sys/$key" ] || continue
  copy=$root/run/machine-sysctls/$(echo "$key" | tr / .)
  cat "/proc/sys/$key" > "$copy"
  mount --bind "$copy" "$root/proc/sys/$key"
done
while read -r key value; do
  echo "$value" > "$root/proc/sys/$key"
done < "$NODE_DIR/sysctls"
cp "$NODE_DIR/resolv.conf" "$root/etc/resolv.conf"
printf '127.0.0.1 localhost %s\n' "$NODE_NAME" > "$root/etc/hosts"
printf '%s\n' "$NODE_NAME" > "$root/etc/hostname"
cd "$root"
pivot_root . old
cd /
umount -l /old
rmdir /old
mount --make-rshared /
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
exec env -i PATH=$path HOME=/root LANG=C.UTF-8 runsvdir -P /node/service
""".replace("@SHADOWED@", " ".join(SHADOWED_SYSCTLS))
