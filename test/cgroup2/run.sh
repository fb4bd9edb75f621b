#!/bin/sh
# The cgroup v2 path, tested for real: boots a Debian kernel in a virtual machine (software emulation where there is no KVM) whose
# only cgroup hierarchy is v2, and runs limits.test.ts there. Needs root, about 2 GB of disk and ten minutes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cache=${GANTRY_CACHE:-$top/.cache}/cgroup2
mkdir -p "$cache"

need() { command -v "$1" >/dev/null || { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$2"; } >&2; }
need mmdebstrap mmdebstrap
need qemu-system-x86_64 qemu-system-x86
need mkfs.ext4 e2fsprogs

if [ ! -e "$cache/base.tar" ]; then
  mmdebstrap --quiet --format=tar --variant=minbase \
    --include=linux-image-amd64,initramfs-tools,crun,runc,conmon,nftables,iproute2,busybox-static,catatonit,kmod,procps,ca-certificates,xz-utils,bzip2,libatomic1 \
    bookworm "$cache/base.tar.part" "$(sed -n 's/^URIs: *//p; s/^deb \([^ ]*\) .*/\1/p' /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -1)"
  mv "$cache/base.tar.part" "$cache/base.tar"
fi

tree=$(mktemp -d)
trap 'rm -rf --one-file-system "$tree" "$cache/disk.img"' EXIT
tar -C "$tree" -xf "$cache/base.tar" --exclude './dev/*'
mkdir -p "$tree/gantry"
(cd "$top" && tar -cf - bin dist src test scripts package.json \
  node_modules/node-linux-* node_modules/koffi node_modules/@koromix node_modules/node-unix-socket* node_modules/zod node_modules/ws \
  node_modules/dns-packet node_modules/@leichtgewicht node_modules/undici node_modules/tar-stream node_modules/streamx node_modules/b4a \
  node_modules/text-decoder node_modules/fast-fifo node_modules/events-universal node_modules/bare-*) |
  tar -C "$tree/gantry" -xf -
cp "$here/guest-init.sh" "$tree/guest-init"
chmod 755 "$tree/guest-init"
cp "$tree"/boot/vmlinuz-* "$cache/vmlinuz"
cp "$tree"/boot/initrd.img-* "$cache/initrd"
rm -f "$cache/disk.img"
mkfs.ext4 -q -d "$tree" "$cache/disk.img" 3G

accel=tcg
[ -w /dev/kvm ] && accel=kvm
log=$cache/console.log
timeout 1500 qemu-system-x86_64 -accel "$accel" -m 3G -smp 2 -nographic -no-reboot -nic none \
  -drive "file=$cache/disk.img,format=raw,if=virtio,cache=unsafe" -kernel "$cache/vmlinuz" -initrd "$cache/initrd" \
  -append "root=/dev/vda rw console=ttyS0 quiet init=/guest-init systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all" </dev/null >"$log" 2>&1 || true
sed -n '/GANTRY-BEGIN/,/GANTRY-END/p' "$log" | tr -d '\r'
grep -q 'GANTRY-END 0' "$log" || { echo "the virtual machine's tests did not pass; its console: $log" >&2; exit 1; }
