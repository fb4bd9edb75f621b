#!/bin/sh
# Brings a checkout to where it can be built and run: npm packages (with the pinned Node) and system packages.
# Does nothing that is already done; can be run again at any time.
set -eu
cd "$(dirname "$0")/.."

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    echo "gantry: root is needed for: $* (no sudo here)" >&2
    exit 1
  fi
}

# --- npm packages ---------------------------------------------------------------------------------------------------
stamp=node_modules/.gantry-setup
if [ ! -e "$stamp" ] || ! cmp -s package-lock.json "$stamp"; then
  echo "gantry: installing npm packages"
  # Not `npm ci`: one package names platform packages that the registry does not have, which only `npm install` accepts. The versions
  # are the lock file's all the same; it is put back in case npm rewrites it.
  lock=$(mktemp)
  cp package-lock.json "$lock"
  npm install --no-save --include=optional --include=dev --no-audit --no-fund --loglevel=error --ignore-scripts
  cp "$lock" package-lock.json
  mv "$lock" "$stamp"
fi

# --- system packages ------------------------------------------------------------------------------------------------
missing=""
need() { # command, Debian package
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need conmon conmon
need crun crun
need runc runc
need nft nftables
need ip iproute2
need catatonit catatonit
need xz xz-utils
need bzip2 bzip2
need busybox busybox-static
need git git
# The pinned Node's only library that a minimal machine has not.
bin/node --version >/dev/null 2>&1 || missing="$missing libatomic1"
if [ "${1:-}" = --tests ]; then
  need docker-registry docker-registry
  need setcap libcap2-bin
  need getfattr attr
  need openssl openssl
  need script bsdutils
  need python3 python3
  need ps procps
  need gcc gcc
fi
# The same programs in another distribution's words.
how_to_install() { # package manager
  case $1 in
    dnf) how="dnf install" names="libatomic1=libatomic iproute2=iproute xz-utils=xz busybox-static=busybox docker-registry=docker-distribution libcap2-bin=libcap bsdutils=util-linux procps=procps-ng" ;;
    zypper) how="zypper install" names="xz-utils=xz docker-registry=distribution-registry libcap2-bin=libcap-progs bsdutils=util-linux" ;;
    apk) how="apk add" names="libatomic1=libatomic xz-utils=xz libcap2-bin=libcap-utils bsdutils=util-linux-misc procps=procps-ng" ;;
    pacman) how="pacman -S" names="libatomic1=gcc-libs xz-utils=xz busybox-static=busybox docker-registry=distribution libcap2-bin=libcap bsdutils=util-linux procps=procps-ng python3=python" ;;
  esac
  for package in $missing; do
    for pair in $names; do [ "${pair%%=*}" != "$package" ] || package=${pair#*=}; done
    how="$how $package"
  done
  echo "$how"
}
[ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/ssl/cert.pem ] || [ -e /etc/pki/tls/certs/ca-bundle.crt ] || missing="$missing ca-certificates"
if [ -n "$missing" ]; then
  if command -v apt-get >/dev/null; then
    echo "gantry: installing system packages:$missing"
    # shellcheck disable=SC2086
    { as_root apt-get update -q && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing; } >.setup.log 2>&1 ||
      { cat .setup.log >&2; exit 1; }
    rm -f .setup.log
  else
    echo "gantry: these programs are missing, by their Debian packages:$missing" >&2
    named=no
    for tool in dnf apk pacman zypper; do
      command -v $tool >/dev/null 2>&1 || continue
      echo "gantry: install them with: $(how_to_install $tool), then run this again" >&2
      named=yes
    done
    [ $named = yes ] || echo "gantry: install them with this machine's package manager, then run this again" >&2
    exit 1
  fi
fi
