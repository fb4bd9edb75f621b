#!/bin/sh
# The first process of the virtual machine: a pure cgroup v2 machine, then the tests, then off.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 GANTRY_TEST_PATIENCE=20
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir /sys/fs/cgroup/init
echo $$ >/sys/fs/cgroup/init/cgroup.procs
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control; done
modprobe -a overlay veth bridge nf_tables nft_chain_nat nft_masq nft_fib_inet nf_conntrack br_netfilter loop fuse
ip link set lo up
cd /gantry
echo "GANTRY-BEGIN cgroup controllers: $(cat /sys/fs/cgroup/cgroup.controllers)"
bin/node --test --test-timeout=600000 --test-reporter=spec 'test/cgroup2/*.test.ts'
echo "GANTRY-END $?"
sync
echo o >/proc/sysrq-trigger
sleep 60
