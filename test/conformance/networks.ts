import { type Scenario, scenarios } from './scenario.ts';

/** What networks say to bad input and what a container sees of its options. */
export const networks: Scenario[] = scenarios({
  'subnets with faults':
    '$D network create --subnet $S.0.0/24 --aux-address a=$S.0.1 --gateway $S.0.1 $N; $D network create --subnet $S.0.0/24 --aux-address a=$S.0.9 --aux-address b=$S.0.9 $N; $D network create --subnet $S.0.0/24 --gateway $S.0.255 $N; $D network create --subnet $S.0.0/24 --subnet $S.1.0/24 $N; $D network create --subnet $S.0.0/24 --ip-range $S.1.0/25 $N; $D network create --subnet $S.0.1/24 $N; $D network create --ipv4=false $N',
  'options with faults':
    'for option in gateway_mode_ipv4=bogus gateway_mode_ipv4=isolated enable_icc=maybe host_binding_ipv4=bogus; do $D network create -o com.docker.network.bridge.$option $N; done; $D network create -o com.docker.network.driver.mtu=-1 $N; $D network create -o com.docker.network.driver.mtu=abc $N; $D network ls -q --filter name=$N | wc -l',
  'parents of macvlan with faults':
    'for parent in nosuch nosuch.10 nosuch.x lo; do $D network create -d macvlan -o parent=$parent $N; done; $D network create -d macvlan -o macvlan_mode=bogus $N; $D network create -d ipvlan -o ipvlan_mode=bogus $N',
  'gateway modes':
    'for mode in nat routed nat-unprotected; do $D network create -o com.docker.network.bridge.gateway_mode_ipv4=$mode $N >/dev/null; $D run --rm --network $N -p $P:80 --name $N $IMG sh -c "ip route | grep -c ." ; $D network rm $N >/dev/null; done; $D network create --internal -o com.docker.network.bridge.gateway_mode_ipv4=isolated $N >/dev/null; $D run --rm --network $N $IMG ip route | wc -l',
  'gateway priority':
    'for n in a b; do $D network create $N$n >/dev/null; done; for options in "name=${N}a,gw-priority=1 --network name=${N}b" "name=${N}b,gw-priority=1 --network name=${N}a" "name=${N}b,gw-priority=-1 --network name=${N}a" "name=${N}b --network name=${N}a"; do $D create --name $N --network $options $IMG ip route >/dev/null; $D start -a $N | awk "/default/{print \\$3}" >gateway; $D rm $N >/dev/null; $D network inspect -f "{{.Name}} {{range .IPAM.Config}}{{.Gateway}}{{end}}" ${N}a ${N}b | grep -w "$(cat gateway)" | cut -d" " -f1; done',
  'endpoint options':
    '$D network create --subnet $S.0.0/24 $N >/dev/null; $D run --rm --network name=$N,ip=$S.0.77,mac-address=02:00:00:00:00:bb,driver-opt=com.docker.network.endpoint.ifname=xyz,driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1 $IMG sh -c "ip -o -4 addr show xyz | grep -o inet.*brd; cat /sys/class/net/xyz/address /proc/sys/net/ipv4/conf/xyz/log_martians"; $D run --name $N --rm --network name=$N,driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.eth0.log_martians=1 $IMG true; $D run --name $N --sysctl net.ipv4.conf.eth0.proxy_arp=1 $IMG true',
  'addresses with faults':
    '$D network create --subnet $S.0.0/24 $N >/dev/null; for ip in bogus 10.1.2.3 $S.0.1; do $D run --rm --network $N --ip $ip $IMG true; done; $D run -d --name $N $IMG sleep 1000 >/dev/null; for ip in bogus 10.1.2.3 $S.0.1; do $D network connect --ip $ip $N $N; done',
  'connecting what cannot be':
    '$D network create $N >/dev/null; $D run -d --name $N $IMG sleep 1000 >/dev/null; $D run -d --name ${N}h --network host $IMG sleep 1000 >/dev/null; $D run -d --name ${N}n --network none $IMG sleep 1000 >/dev/null; $D run -d --name ${N}c --network container:$N $IMG sleep 1000 >/dev/null; $D network connect host $N; $D network connect none $N; for who in h n c; do $D network connect $N $N$who; done; $D network disconnect host ${N}h; $D network disconnect -f $N nosuch; $D network disconnect nosuch-$N $N; $D run --name ${N}x --network container:nosuch-$N $IMG true',
  'resolv.conf':
    'for options in "" "--network host" "--network host --dns 192.0.2.1" "--dns 192.0.2.1 --dns 192.0.2.2 --dns-search a.b --dns-search c.d --dns-option ndots:3 --dns-option timeout:1"; do $D run --rm --dns-search x.y $options $IMG grep -v -e Docker -e Gantry -e modified -e ^$ /etc/resolv.conf; done; $D network create $N >/dev/null; $D run --rm --network $N --dns 192.0.2.1 --dns-search . --dns-option ndots:3 $IMG grep -v -e Docker -e Gantry -e modified -e ^$ /etc/resolv.conf',
  'host-gateway':
    '$D run --rm --add-host x:host-gateway --network host $IMG grep -c "^$($D network inspect -f "{{range .IPAM.Config}}{{.Gateway}}{{end}}" bridge).x$" /etc/hosts; $D run --rm --network host -p $P:80 $IMG true',
  'port conflicts':
    '$D run -d --name $N -p $P:80 $IMG sleep 1000 >/dev/null; $D run --name ${N}b -p $P:80 $IMG true; $D run --name ${N}c -p 127.0.0.1:$P:80 $IMG true; $D run --rm -p $P:80/udp $IMG echo udp; $D run --name ${N}e -p 198.51.100.9:$P:80 $IMG true 2>&1 | grep -o "cannot assign.*"',
  'ports of a routed network':
    '$D network create -o com.docker.network.bridge.gateway_mode_ipv4=routed $N >/dev/null; $D run -d --name $N --network $N -p 127.0.0.1:$P:80 $IMG sleep 1000 >/dev/null; $D port $N; $D ps --filter name=$N --format "{{.Ports}}"; $D inspect -f "{{json .NetworkSettings.Ports}} {{json .HostConfig.PortBindings}}" $N; $D network create --internal ${N}i >/dev/null; $D run -d --name ${N}i --network ${N}i -p $P:80 $IMG sleep 1000 >/dev/null; $D inspect -f "{{json .NetworkSettings.Ports}}" ${N}i',
  'network modes with faults':
    '$D network create --subnet $S.0.0/24 $N >/dev/null; for options in "--network container:" "--network host --ip $S.0.7" "--network none --ip $S.0.7" "--ip $S.0.7" "--network $N --network $N" "--network host --network $N" "--network none --network-alias x" "--network host --link x"; do $D run --name $N $options $IMG true; $D rm $N 2>/dev/null; done',
  'configuration networks':
    '$D network create --config-only --subnet $S.0.0/24 -o com.docker.network.driver.mtu=1400 --label a=b $N; $D network create --config-from $N ${N}b; $D network inspect -f "{{.Driver}} {{.ConfigOnly}} {{.ConfigFrom.Network}} {{json .IPAM.Config}} {{json .Options}} {{json .Labels}}" $N ${N}b; $D network rm $N; $D run --rm --network $N $IMG true; $D network create --config-from $N --subnet $S.1.0/24 ${N}c; $D network create --config-from bridge ${N}c; $D run --rm --network ${N}b $IMG cat /sys/class/net/eth0/mtu; $D network rm ${N}b $N',
  'filters with faults':
    '$D network ls --filter dangling=x; $D network ls --filter dangling=true --filter dangling=false; $D network ls --filter type=x; $D network prune -f --filter until=bogus; $D network prune -f --filter bogus=1',
});
