#!/bin/sh
# From a fresh checkout to a running container: set-up, build, daemon, base image, run. Can be run again at any time.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh
echo "gantry: building"
bin/node scripts/build.ts

gantry=$PWD/bin/gantry
[ "$(id -u)" = 0 ] || gantry="sudo $gantry"

# The first command starts gantryd if none answers on the default socket.
$gantry version --format 'gantry: client {{.Client.Version}}, daemon {{.Server.Version}}'

if ! $gantry image inspect busybox:latest >/dev/null 2>&1; then
  echo "gantry: making busybox:latest from this machine's busybox"
  root=$(mktemp -d)
  trap 'rm -rf "$root"' EXIT
  mkdir -p "$root/bin" "$root/etc" "$root/tmp" "$root/root" "$root/home" "$root/var" "$root/usr"
  chmod 1777 "$root/tmp"
  cp "$(command -v busybox)" "$root/bin/busybox"
  for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"; done
  echo root:x:0:0:root:/root:/bin/sh >"$root/etc/passwd"
  echo root:x:0: >"$root/etc/group"
  tar -C "$root" --numeric-owner --owner=0 --group=0 -c . | $gantry import -c 'CMD ["sh"]' - busybox:latest
fi

echo "gantry: running a container"
$gantry run --rm busybox:latest echo "Hello from a container."
echo "gantry: it works. Next: $gantry run -it --rm busybox, or: export DOCKER_HOST=unix:///run/gantry/gantry.sock; docker ps"
