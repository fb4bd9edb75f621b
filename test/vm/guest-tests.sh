#!/bin/sh
# Runs one suite in the virtual machine, says how it ended, and turns the machine off.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 GANTRY_TEST_PATIENCE=20
modprobe -a overlay veth bridge nf_tables nft_chain_nat nft_masq nft_fib_inet nf_conntrack br_netfilter loop fuse \
  macvlan ipvlan 8021q dummy sctp
cd /gantry || exit
echo "GANTRY-BEGIN $(cat /guest-suite), kernel $(uname -r), $(readlink /proc/1/exe), cgroup controllers: $(cat /sys/fs/cgroup/cgroup.controllers)"
bin/node --test --test-timeout=600000 --test-reporter=spec "test/vm/$(cat /guest-suite)/*.test.ts"
echo "GANTRY-END $?"
sync
echo o >/proc/sysrq-trigger
sleep 60
