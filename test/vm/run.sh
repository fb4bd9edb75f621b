#!/bin/sh
# Suites that need another machine than this one: boots a Debian kernel in a virtual machine (software emulation where there is no KVM) and runs
# them there, each in a boot of its own. Needs root, about 4 GB of disk and a few minutes a suite.
#   run.sh cgroup2    nothing but cgroup v2
#   run.sh networks   macvlan, ipvlan, VLANs, SCTP: drivers that not every kernel has
#   run.sh service    systemd as the first process, and the units of packaging/
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cache=${GANTRY_CACHE:-$top/.cache}/vm
mkdir -p "$cache"

need() { command -v "$1" >/dev/null || { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$2"; } >&2; }
need mmdebstrap mmdebstrap
need qemu-system-x86_64 qemu-system-x86
need mkfs.ext4 e2fsprogs

packages=linux-image-amd64,initramfs-tools,systemd-sysv,dbus,crun,runc,conmon,nftables,iproute2,busybox-static,catatonit,kmod,procps,ca-certificates,xz-utils,bzip2,libatomic1
base=$cache/base-$(echo "$packages" | cksum | cut -d' ' -f1).tar
if [ ! -e "$base" ]; then
  mmdebstrap --quiet --format=tar --variant=minbase --include="$packages" bookworm "$base.part" \
    "$(sed -n 's/^URIs: *//p; s/^deb \([^ ]*\) .*/\1/p' /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -1)"
  mv "$base.part" "$base"
fi

tree=$(mktemp -d)
trap 'rm -rf --one-file-system "$tree" "$cache/disk.img"' EXIT
tar -C "$tree" -xf "$base" --exclude './dev/*'
mkdir -p "$tree/gantry"
(cd "$top" && tar -cf - bin dist src test scripts packaging package.json \
  node_modules/node-linux-* node_modules/koffi node_modules/@koromix node_modules/node-unix-socket* node_modules/zod node_modules/ws \
  node_modules/dns-packet node_modules/@leichtgewicht node_modules/undici node_modules/tar-stream node_modules/streamx node_modules/b4a \
  node_modules/text-decoder node_modules/fast-fifo node_modules/events-universal node_modules/bare-*) |
  tar -C "$tree/gantry" -xf -
install -m 755 "$here/guest-init.sh" "$tree/guest-init"
install -m 755 "$here/guest-tests.sh" "$tree/guest-tests"
install -m 644 "$here/gantry-tests.service" "$tree/etc/systemd/system/gantry-tests.service"
mkdir -p "$tree/etc/systemd/system/multi-user.target.wants"
ln -s ../gantry-tests.service "$tree/etc/systemd/system/multi-user.target.wants/gantry-tests.service"
cp -L "$tree/vmlinuz" "$cache/vmlinuz"
cp -L "$tree/initrd.img" "$cache/initrd"

accel=tcg
[ -w /dev/kvm ] && accel=kvm
for suite in "$@"; do
  case $suite in
    cgroup2 | networks) init=/guest-init ;;
    service) init=/lib/systemd/systemd ;;
    *) echo "no such suite: $suite" >&2 && exit 1 ;;
  esac
  echo "$suite" >"$tree/guest-suite"
  rm -f "$cache/disk.img"
  mkfs.ext4 -q -d "$tree" "$cache/disk.img" 3G
  log=$cache/$suite.log
  timeout 1500 qemu-system-x86_64 -accel "$accel" -m 3G -smp 2 -nographic -no-reboot -nic none \
    -drive "file=$cache/disk.img,format=raw,if=virtio,cache=unsafe" -kernel "$cache/vmlinuz" -initrd "$cache/initrd" \
    -append "root=/dev/vda rw console=ttyS0 quiet init=$init systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all" </dev/null >"$log" 2>&1 || true
  sed -n '/GANTRY-BEGIN/,/GANTRY-END/p' "$log" | tr -d '\r'
  grep -q 'GANTRY-END 0' "$log" || { echo "$suite did not pass in the virtual machine; its console: $log" >&2; exit 1; }
done
