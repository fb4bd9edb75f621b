import { scenarios } from './scenario.ts';

/** Every option of create and run: its effect as seen from inside the container, in the kernel, or in inspect. */
export const options = scenarios({
  'attach stdout only': '$D run --rm -a stdout $IMG sh -c "echo out; echo err >&2"',
  'attach stderr only': '$D run --rm -a stderr $IMG sh -c "echo out; echo err >&2"',
  'attach stdin reads input': 'echo hello | $D run --rm -i -a stdin -a stdout $IMG cat',
  'add-host':
    '$D run --rm --add-host one:10.1.2.3 --add-host two=10.1.2.4 $IMG sh -c "grep -E \\"one|two\\" /etc/hosts"',
  'add-host bad': '$D run --rm --add-host one $IMG true',
  'cpu-shares': '$D create --name $N -c 512 $IMG true >/dev/null; $D inspect -f "{{.HostConfig.CpuShares}}" $N',
  cpus: '$D create --name $N --cpus 0.5 $IMG true >/dev/null; $D inspect -f "{{.HostConfig.NanoCpus}}" $N',
  'cpus too many': '$D create --name $N --cpus 999 $IMG true',
  'cpu-period and quota':
    '$D create --name $N --cpu-period 50000 --cpu-quota 25000 $IMG true >/dev/null; $D inspect -f "{{.HostConfig.CpuPeriod}} {{.HostConfig.CpuQuota}}" $N',
  'cpus with quota conflict': '$D create --name $N --cpus 1 --cpu-quota 25000 $IMG true',
  'cpuset-cpus inside': '$D run --rm --cpuset-cpus 0 $IMG grep Cpus_allowed_list /proc/self/status',
  'cpuset-cpus out of range': '$D run --rm --cpuset-cpus 99 $IMG true',
  'cpuset-mems': '$D run --rm --cpuset-mems 0 $IMG grep Mems_allowed_list /proc/self/status',
  'default capabilities': '$D run --rm $IMG grep Cap /proc/self/status',
  'cap-add': '$D run --rm --cap-add NET_ADMIN $IMG grep CapEff /proc/self/status',
  'cap-add with prefix': '$D run --rm --cap-add CAP_SYS_TIME $IMG grep CapEff /proc/self/status',
  'cap-drop': '$D run --rm --cap-drop CHOWN $IMG grep CapEff /proc/self/status',
  'cap-drop ALL': '$D run --rm --cap-drop ALL $IMG grep CapEff /proc/self/status',
  'cap-drop ALL cap-add one': '$D run --rm --cap-drop all --cap-add chown $IMG grep CapEff /proc/self/status',
  'cap-add unknown': '$D run --rm --cap-add NOSUCH $IMG true',
  cidfile:
    '$D run --cidfile $W/cid --name $N $IMG true; [ "$(cat $W/cid)" = "$($D inspect -f "{{.Id}}" $N)" ] && echo same',
  'cidfile exists': 'echo x > $W/cid; $D run --rm --cidfile $W/cid $IMG true',
  cgroupns: '$D create --name $N --cgroupns host $IMG true >/dev/null; $D inspect -f "{{.HostConfig.CgroupnsMode}}" $N',
  'cgroupns bad': '$D run --rm --cgroupns nope $IMG true',
  'device with permissions': '$D run --rm --device /dev/fuse:/dev/xx:r $IMG ls /dev/xx',
  'device missing': '$D run --rm --device /dev/nosuch $IMG true',
  'device bad permissions': '$D run --rm --device /dev/fuse:/dev/fuse:xyz $IMG true',
  'device-cgroup-rule bad': '$D run --rm --device-cgroup-rule "x 1:1 r" $IMG true',
  dns: '$D run --rm --dns 9.9.9.9 --dns 8.8.4.4 $IMG grep nameserver /etc/resolv.conf',
  'dns bad': '$D run --rm --dns nope $IMG true',
  'dns-search': '$D run --rm --dns-search example.org --dns-search a.b $IMG grep search /etc/resolv.conf',
  'dns-search dot': '$D run --rm --dns-search . $IMG grep -c search /etc/resolv.conf',
  'dns-option': '$D run --rm --dns-option ndots:3 $IMG grep options /etc/resolv.conf',
  domainname:
    '$D run --rm -h host1 --domainname example.org $IMG sh -c "hostname; hostname -f; cat /proc/sys/kernel/domainname"',
  'env value': '$D run --rm -e A=1 -e B= $IMG sh -c "env | grep -E \\"^(A|B)=\\" | sort"',
  'env passed through': 'C=see $D run --rm -e C -e NOTSET $IMG sh -c "env | grep -E \\"^(C|NOTSET)\\""',
  'env default': '$D run --rm $IMG sh -c "echo \\$HOME; env | cut -d= -f1 | sort"',
  'env with tty has TERM': '$D run --rm -t $IMG sh -c "echo \\$TERM" | tr -d "\\r"',
  'env-file':
    'printf "# comment\\n\\nA=1\\n  B=2\\nPASS\\nQ=\\"x y\\"\\n" > f; PASS=p $D run --rm --env-file f $IMG sh -c "env | grep -E \\"^(A|B|PASS|Q)=\\" | sort"',
  'env-file bad': 'printf "A=1\\nbad name=2\\n" > f; $D run --rm --env-file f $IMG true',
  'env-file missing': '$D run --rm --env-file nosuch $IMG true',
  entrypoint: '$D run --rm --entrypoint /bin/echo $IMG a b',
  'entrypoint emptied': '$D run --rm --entrypoint "" $IMG echo hi',
  'entrypoint emptied without command': '$D run --rm --entrypoint "" $IMG',
  expose:
    '$D create --name $N --expose 80 --expose 90-91/udp $IMG true >/dev/null; $D inspect -f "{{json .Config.ExposedPorts}}" $N',
  'expose bad': '$D create --name $N --expose 99999 $IMG true',
  'group-add': '$D run --rm --group-add 1234 --group-add root $IMG id -G',
  'group-add unknown': '$D run --rm --group-add nosuchgroup $IMG true',
  'health options':
    '$D create --name $N --health-cmd "true" --health-interval 5s --health-timeout 2s --health-retries 4 --health-start-period 1s --health-start-interval 1s $IMG true >/dev/null; $D inspect -f "{{json .Config.Healthcheck}}" $N',
  'health interval too small': '$D create --name $N --health-cmd true --health-interval 1us $IMG true',
  'health negative retries': '$D create --name $N --health-cmd true --health-retries -1 $IMG true',
  'no-healthcheck':
    '$D create --name $N --no-healthcheck $IMG true >/dev/null; $D inspect -f "{{json .Config.Healthcheck}}" $N',
  'no-healthcheck conflict': '$D create --name $N --no-healthcheck --health-cmd x $IMG true',
  hostname: '$D run --rm -h my-host $IMG sh -c "hostname; cat /etc/hostname; grep -c my-host /etc/hosts"',
  'hostname with host network': '$D run --rm --network host -h my-host $IMG hostname',
  init: '$D run --rm --init $IMG sh -c "cat /proc/1/comm; ls /sbin/docker-init"',
  'ipc private': '$D run --rm --ipc private $IMG sh -c "df /dev/shm | tail -1 | tr -s \\" \\" | cut -d\\" \\" -f1,2,6"',
  'ipc none': '$D run --rm --ipc none $IMG sh -c "ls -d /dev/shm; mount | grep -c /dev/shm"',
  'ipc host':
    '[ "$(readlink /proc/self/ns/ipc)" = "$($D run --rm --ipc host $IMG readlink /proc/self/ns/ipc)" ] && echo same',
  'ipc shared with a container':
    '$D run -d --name $N --ipc shareable $IMG sleep 1000 >/dev/null; [ "$($D exec $N readlink /proc/self/ns/ipc)" = "$($D run --rm --ipc container:$N $IMG readlink /proc/self/ns/ipc)" ] && echo same',
  'ipc of a private container':
    '$D run -d --name $N --ipc private $IMG sleep 1000 >/dev/null; $D run --name ${N}b --ipc container:$N $IMG true',
  'ipc bad': '$D run --rm --ipc nope $IMG true',
  'isolation refused': '$D run --rm --isolation hyperv $IMG true',
  labels:
    'printf "c=3\\n# x\\nd\\n" > l; $D create --name $N -l a=1 -l b --label-file l $IMG true >/dev/null; $D inspect -f "{{json .Config.Labels}}" $N',
  'log-driver none': '$D run --name $N --log-driver none $IMG echo hi; $D logs $N',
  'log-driver local': '$D run --name $N --log-driver local $IMG echo hi; $D logs $N',
  'log-driver unknown': '$D run --rm --log-driver nosuch $IMG true',
  'log-opt':
    '$D create --name $N --log-opt max-size=1m --log-opt max-file=2 $IMG true >/dev/null; $D inspect -f "{{json .HostConfig.LogConfig}}" $N',
  'log-opt unknown': '$D create --name $N --log-opt nosuch=1 $IMG true',
  'log-opt bad size': '$D create --name $N --log-opt max-size=abc $IMG true',
  'mac-address': '$D run --rm --mac-address 02:11:22:33:44:55 $IMG sh -c "cat /sys/class/net/eth0/address | tr : -"',
  'mac-address bad': '$D run --rm --mac-address zz $IMG true',
  memory:
    '$D create --name $N -m 64m $IMG true >/dev/null; $D inspect -f "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}" $N',
  'memory too small': '$D create --name $N -m 1m $IMG true',
  'memory bad': '$D create --name $N -m 1x $IMG true',
  'memory-swap below memory': '$D create --name $N -m 64m --memory-swap 32m $IMG true',
  'memory-swap without memory': '$D create --name $N --memory-swap 32m $IMG true',
  'memory-swap unlimited':
    '$D create --name $N -m 64m --memory-swap -1 $IMG true >/dev/null; $D inspect -f "{{.HostConfig.MemorySwap}}" $N',
  'memory-reservation':
    '$D create --name $N -m 64m --memory-reservation 32m $IMG true >/dev/null; $D inspect -f "{{.HostConfig.MemoryReservation}}" $N',
  'memory-reservation above memory': '$D create --name $N -m 64m --memory-reservation 128m $IMG true',
  'memory-swappiness out of range': '$D create --name $N --memory-swappiness 200 $IMG true',
  'name bad': '$D create --name "a b" $IMG true',
  'name in use': '$D create --name $N $IMG true >/dev/null; $D create --name $N $IMG true',
  'network none': '$D run --rm --network none $IMG ls /sys/class/net',
  'network container':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; [ "$($D exec $N hostname)" = "$($D run --rm --network container:$N $IMG hostname)" ] && echo same',
  'network container with hostname':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D run --rm -h x --network container:$N $IMG true',
  'network container with ports':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D run --rm -p 80:80 --network container:$N $IMG true',
  'network container with exposed port':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D run --rm --expose 80 --network container:$N $IMG true',
  'network container of its own': '$D run --name $N --network container:$N $IMG true',
  'network unknown': '$D run --name $N --network nosuch $IMG true',
  'old --net': '$D run --rm --net none $IMG ls /sys/class/net',
  'ip without user network': '$D run --name $N --ip 10.99.0.99 $IMG true',
  'network-alias on bridge': '$D run --name $N --network-alias x $IMG true',
  'oom-kill-disable is kept':
    '$D create --name $N -m 64m --oom-kill-disable $IMG true >/dev/null; $D inspect -f "{{.HostConfig.OomKillDisable}}" $N',
  'oom-score-adj': '$D run --rm --oom-score-adj 500 $IMG cat /proc/self/oom_score_adj',
  'oom-score-adj out of range': '$D run --rm --oom-score-adj 5000 $IMG true',
  'pid host':
    '[ "$(readlink /proc/self/ns/pid)" = "$($D run --rm --pid host $IMG readlink /proc/self/ns/pid)" ] && echo same',
  'pid container':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D run --rm --pid container:$N $IMG ps | grep -c "sleep 1000"',
  'pid bad': '$D run --rm --pid nope $IMG true',
  'pids-limit':
    '$D create --name $N --pids-limit 10 $IMG true >/dev/null; $D inspect -f "{{.HostConfig.PidsLimit}}" $N',
  'security options of what is not confined':
    'i=0; for o in "--privileged" "--pid host" "--ipc host" "--pid host --security-opt seccomp=unconfined" "--privileged --security-opt label=level:s0" "--privileged --security-opt label=disable" "--ipc private"; do i=$((i+1)); $D create --name $N-$i $o $IMG true >/dev/null; $D inspect -f "{{json .HostConfig.SecurityOpt}}" $N-$i; done',
  'privileged capabilities':
    '$D run --rm --privileged $IMG sh -c "grep CapBnd /proc/self/status | wc -l; mount | grep -c \\"/sys type sysfs (rw\\"; ls /dev | grep -c loop-control"',
  'pull never': '$D run --rm --pull never nosuch/image:1 true',
  'pull bad': '$D run --rm --pull sometimes $IMG true',
  'read-only': '$D run --rm --read-only $IMG touch /x',
  'read-only files of the network': '$D run --rm --read-only $IMG touch /etc/hosts /etc/hostname /etc/resolv.conf',
  'read-only with tmpfs': '$D run --rm --read-only --tmpfs /t $IMG sh -c "touch /t/x && echo ok"',
  'restart with rm': '$D run --rm --restart always $IMG true',
  'restart bad': '$D create --name $N --restart sometimes $IMG true',
  'restart retries for always': '$D create --name $N --restart always:3 $IMG true',
  'restart on-failure':
    '$D run -d --name $N --restart on-failure:2 $IMG false >/dev/null; $D wait $N >/dev/null; i=0; while [ $i -lt 100 ] && [ "$($D inspect -f "{{.RestartCount}}{{.State.Running}}{{.State.Restarting}}" $N)" != 2falsefalse ]; do sleep 0.1; i=$((i+1)); done; $D inspect -f "{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}" $N',
  'rm detached': '$D run -d --rm --name $N $IMG sleep 4 >/dev/null; $D wait $N; sleep 0.5; $D inspect $N',
  'runtime unknown': '$D run --rm --runtime nosuch $IMG true',
  'seccomp default': '$D run --rm $IMG grep -E "Seccomp:|NoNewPrivs" /proc/self/status',
  'seccomp blocks mount':
    '$D run --rm --cap-add SYS_ADMIN --security-opt seccomp=unconfined $IMG sh -c "mkdir /m; mount -t tmpfs x /m && echo mounted"',
  'unshare is refused': '$D run --rm $IMG unshare -U true',
  'seccomp unconfined': '$D run --rm --security-opt seccomp=unconfined $IMG grep Seccomp: /proc/self/status',
  'seccomp file':
    'echo "{\\"defaultAction\\":\\"SCMP_ACT_ALLOW\\",\\"syscalls\\":[{\\"names\\":[\\"mkdir\\",\\"mkdirat\\"],\\"action\\":\\"SCMP_ACT_ERRNO\\"}]}" > s.json; $D run --rm --security-opt seccomp=s.json $IMG mkdir /x',
  'seccomp file bad': 'echo "{" > s.json; $D run --rm --security-opt seccomp=s.json $IMG true',
  'no-new-privileges': '$D run --rm --security-opt no-new-privileges $IMG grep NoNewPrivs /proc/self/status',
  'security-opt unknown': '$D run --rm --security-opt nosuch=1 $IMG true',
  'shm-size': '$D run --rm --shm-size 32m $IMG sh -c "df -k /dev/shm | tail -1 | tr -s \\" \\" | cut -d\\" \\" -f2"',
  'shm-size bad': '$D run --rm --shm-size x $IMG true',
  'stop-signal and timeout':
    '$D run -d --name $N --stop-signal USR1 --stop-timeout 1 $IMG sh -c "trap \\"exit 7\\" USR1; while :; do sleep 0.05; done" >/dev/null; sleep 0.5; $D stop $N >/dev/null; $D inspect -f "{{.State.ExitCode}} {{.Config.StopSignal}} {{.Config.StopTimeout}}" $N',
  'stop-signal bad': '$D create --name $N --stop-signal NOPE $IMG true',
  sysctl: '$D run --rm --sysctl net.ipv4.ip_forward=0 $IMG cat /proc/sys/net/ipv4/ip_forward',
  'sysctl not allowed': '$D run --rm --sysctl kernel.hostname=x $IMG true',
  'sysctl defaults': '$D run --rm $IMG cat /proc/sys/net/ipv4/ip_unprivileged_port_start',
  tmpfs:
    '$D run --rm --tmpfs /t:size=1m,mode=700 $IMG sh -c "df -k /t | tail -1 | tr -s \\" \\" | cut -d\\" \\" -f1,2; stat -c %a /t"',
  'tmpfs bad': '$D run --rm --tmpfs relative $IMG true',
  'tty is a terminal': '$D run --rm -t $IMG sh -c "test -t 0 && test -t 1 && echo terminal" | tr -d "\\r"',
  'tty with piped stdin': 'echo x | $D run --rm -it $IMG cat',
  ulimit: '$D run --rm --ulimit nofile=100:200 $IMG sh -c "ulimit -Sn; ulimit -Hn"',
  'ulimit bad': '$D run --rm --ulimit nofile=200:100 $IMG true',
  'ulimit unknown': '$D run --rm --ulimit nosuch=1 $IMG true',
  'user by id': '$D run --rm -u 1234 $IMG id',
  'user by id and group': '$D run --rm -u 1234:4321 $IMG id',
  'user by name': '$D run --rm -u user $IMG id',
  'user by name and group': '$D run --rm -u user:daemon $IMG id',
  'user unknown': '$D run --rm -u nosuch $IMG id',
  'group unknown': '$D run --rm -u 0:nosuch $IMG id',
  'user has no capabilities': '$D run --rm -u 1000 $IMG grep -E "Cap(Eff|Prm|Bnd)" /proc/self/status',
  'user home': '$D run --rm -u user $IMG sh -c "echo \\$HOME; cd; pwd"',
  'userns host': '$D run --rm --userns host $IMG true',
  'userns bad': '$D run --rm --userns nope $IMG true',
  'uts host':
    '[ "$(readlink /proc/self/ns/uts)" = "$($D run --rm --uts host $IMG readlink /proc/self/ns/uts)" ] && echo same',
  'uts bad': '$D run --rm --uts nope $IMG true',
  'volume anonymous':
    '$D create --name $N -v /data $IMG true >/dev/null; $D inspect -f "{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.Driver}} {{.Mode}} {{.RW}}{{end}}" $N',
  'volume named':
    '$D run --rm -v $N:/data $IMG sh -c "echo hi > /data/f"; $D run --rm -v $N:/data:ro $IMG sh -c "cat /data/f; touch /data/g"',
  'volume of the host': 'mkdir d; echo hi > d/f; $D run --rm -v $W/d:/d $IMG cat /d/f',
  'volume makes a missing host directory': '$D run --rm -v $W/new/dir:/d $IMG true; ls -d $W/new/dir',
  'volume relative': '$D run --rm -v ./x/../y:/d $IMG true; ls -d $W/y',
  'volume name bad': '$D run --rm -v a/b:/d $IMG true',
  'volume target relative': '$D run --rm -v $N:d $IMG true',
  'volume target root': '$D run --rm -v $N:/ $IMG true',
  'volume mode bad': '$D run --rm -v $N:/d:zz9 $IMG true',
  'volume duplicate': '$D run --rm -v $N:/d -v ${N}b:/d $IMG true',
  'volume too many colons': '$D run --rm -v a:b:c:d $IMG true',
  'volumes-from':
    '$D create --name $N -v /data $IMG true >/dev/null; $D run --rm --volumes-from $N $IMG sh -c "echo x > /data/y && ls /data"; $D run --rm --volumes-from $N:ro $IMG touch /data/z',
  'volumes-from unknown': '$D run --rm --volumes-from nosuch $IMG true',
  'mount bind':
    'mkdir d; echo hi > d/f; $D run --rm --mount type=bind,source=$W/d,target=/d,readonly $IMG sh -c "cat /d/f; touch /d/g"',
  'mount bind missing': '$D run --rm --mount type=bind,source=$W/nosuch,target=/d $IMG true',
  'mount volume':
    '$D run --rm --mount source=$N,target=/d $IMG sh -c "echo a > /d/a; cat /d/a"; $D volume inspect -f "{{.Name}} {{.Driver}} {{.Scope}}" $N',
  'mount volume subpath':
    '$D run --rm -v $N:/d $IMG sh -c "mkdir /d/sub; echo s > /d/sub/f"; $D run --rm --mount type=volume,source=$N,target=/d,volume-subpath=sub $IMG cat /d/f',
  'mount volume subpath leaves': '$D run --rm --mount type=volume,source=$N,target=/d,volume-subpath=../x $IMG true',
  'mount volume subpath missing':
    'echo x > f; $D create --name $N --mount type=volume,source=$N,target=/d,volume-subpath=sub,volume-nocopy $IMG true >/dev/null; $D cp f $N:/tmp/ 2>&1 | grep -v level=error | sed "s/ [^ ]*volumes/ VOLUMES/g"; $D start $N 2>&1 | sed "s/ [^ ]*volumes/ VOLUMES/g"',
  'mount tmpfs':
    '$D run --rm --mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=0700 $IMG sh -c "df -k /t | tail -1 | tr -s \\" \\" | cut -d\\" \\" -f2; stat -c %a /t"',
  'mount image': '$D run --rm --mount type=image,source=$IMG,target=/i $IMG ls /i/bin/busybox',
  'mount bad type': '$D run --rm --mount type=nope,target=/x $IMG true',
  'mount without target': '$D run --rm --mount type=volume,source=$N $IMG true',
  'mount unknown key': '$D run --rm --mount type=volume,target=/x,nope=1 $IMG true',
  'mount single file': 'echo line > f; $D run --rm -v $W/f:/root/.history $IMG cat /root/.history',
  workdir: '$D run --rm -w /tmp $IMG pwd',
  'workdir is created': '$D run --rm -w /a/b/c $IMG sh -c "pwd; stat -c \\"%a %u\\" /a/b"',
  'workdir relative': '$D run --rm -w tmp $IMG pwd',
  annotation:
    '$D create --name $N --annotation a=b $IMG true >/dev/null; $D inspect -f "{{json .HostConfig.Annotations}}" $N',
  'gpus without a driver': '$D run --rm --gpus all $IMG true',
  'publish shows in port': '$D run -d --name $N -p 127.0.0.1:$P:80 $IMG sleep 1000 >/dev/null; $D port $N',
  'publish bad': '$D run --rm -p 99999:80 $IMG true',
  'publish range mismatch': '$D run --rm -p 8000-8002:80-81 $IMG true',
  'publish bad protocol': '$D run --rm -p 80:80/nope $IMG true',
  'unknown flag': '$D run --nosuchflag $IMG true',
  'unknown image': '$D run --rm --pull never nosuchimage:x true',
  'image name bad': '$D run --rm UPPER true',
  'command not found': '$D run --rm $IMG nosuchcommand',
  'command not executable': '$D run --rm $IMG /etc/passwd',
  'command is a directory': '$D run --rm $IMG /etc',
  'exit code': '$D run --rm $IMG sh -c "exit 42"',
  'killed by signal': '$D run --rm $IMG sh -c "sh -c \'kill -9 \\$\\$\'; echo code \\$?" 2>/dev/null',
  'no arguments': '$D run',
  'masked paths':
    '$D run --rm $IMG sh -c "wc -c < /proc/keys; wc -c < /proc/timer_list; ls /proc/scsi /sys/firmware 2>&1; touch /proc/sys/kernel/x 2>&1"',
  'mounts inside': '$D run --rm $IMG sh -c "cut -d\\" \\" -f2,3,4 /proc/mounts | grep -vE \\"^/ |cgroup|/etc/\\""',
  'devices inside': '$D run --rm $IMG ls -l /dev | awk "{print \\$1,\\$3,\\$4,\\$NF}"',
  'lxc-conf': '$D run --rm --lxc-conf a=b $IMG true',
  'blkio-weight': '$D run --rm --blkio-weight 300 $IMG true',
  'blkio-weight out of range': '$D run --rm --blkio-weight 5000 $IMG true',
  'blkio-weight-device': '$D run --rm --blkio-weight-device /dev/null:300 $IMG true',
  'device-read-bps of no device': '$D run --rm --device-read-bps /dev/nosuch:1mb $IMG true',
  'cpu-rt': '$D create --name $N --cpu-rt-period 1000 --cpu-rt-runtime 2000 $IMG true',
  'cpuset-mems out of range': '$D run --rm --cpuset-mems 7 $IMG true',
  'add-host bad address': '$D run --rm --add-host one:nope $IMG true',
  'old --dns-opt and --net-alias':
    '$D network create $N >/dev/null; $D run --rm --dns-opt ndots:4 --net-alias other --network $N --name ${N}a $IMG sh -c "grep -o ndots:4 /etc/resolv.conf; ping -c1 -W2 other >/dev/null && echo reached"',
  'exec has the oom-score-adj':
    '$D run -d --name $N --oom-score-adj 500 $IMG sleep 1000 >/dev/null; $D exec $N cat /proc/self/oom_score_adj',
  ip6: 'net=fd00:$(printf %x $P); $D network create --ipv6 --subnet $net::/64 $N >/dev/null; $D run --rm --network $N --ip6 $net::7 $IMG sh -c "ip -6 addr show eth0 | grep -c ::7/64"; $D run --rm --network $N --ip6 nope $IMG true; $D run --rm --network $N --ip6 fd01::7 $IMG true',
  'link-local-ip':
    '$D network create $N >/dev/null; $D run --rm --network $N --link-local-ip 169.254.7.7 $IMG sh -c "ip -4 addr show eth0 | grep -c 169.254.7.7"',
  'platform of the machine': '$D run --rm --platform linux/amd64 $IMG echo hi',
  'platform of another': '$D run --rm --pull never --platform linux/s390x $IMG true',
  'platform bad': '$D run --rm --platform a/b/c/d $IMG true',
  'quiet with an image that is there': '$D run --rm -q $IMG echo hi',
  'storage-opt size': '$D run --rm --storage-opt size=1G $IMG true',
  'storage-opt unknown': '$D run --rm --storage-opt nosuch=1 $IMG true',
  'rm of a failed start': '$D run --rm --name $N $IMG nosuch; $D inspect $N',
  'rm of a killed one':
    '$D run -d --rm --name $N $IMG sleep 1000 >/dev/null; $D kill $N >/dev/null; i=0; while [ $i -lt 100 ] && $D inspect $N >/dev/null 2>&1; do sleep 0.1; i=$((i+1)); done; $D inspect $N',
  'sig-proxy':
    '$D run --name $N $IMG sh -c "trap \\"echo got; exit 3\\" USR1; echo ready; while :; do sleep 0.1; done" > out & pid=$!; i=0; while [ $i -lt 200 ] && ! grep -qs ready out; do sleep 0.1; i=$((i+1)); done; kill -USR1 $pid; wait $pid; code=$?; cat out; echo code $code',
  'sig-proxy off':
    '$D run --name $N --sig-proxy=false $IMG sh -c "echo ready; exec sleep 1000" > out & pid=$!; i=0; while [ $i -lt 200 ] && ! grep -qs ready out; do sleep 0.1; i=$((i+1)); done; kill -USR1 $pid; sleep 1; $D inspect -f "{{.State.Status}}" $N; $D rm -f $N >/dev/null; wait $pid; echo code $?',
  'pid of a container that is not': '$D run --rm --pid container:nosuch $IMG true',
  'ipc of a container that is not': '$D run --rm --ipc container:nosuch $IMG true',
  'uts host keeps the hostname of the container':
    'id=$($D create --name $N --uts host $IMG true); [ "$($D inspect -f "{{.Config.Hostname}}" $N)" = "$(echo $id | cut -c1-12)" ] && echo own',
});
