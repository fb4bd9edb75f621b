import { scenarios } from './scenario.ts';

/** Images, volumes and networks: what their commands say and do. */
export const objects = scenarios({
  'image tag and list':
    '$D tag $IMG $N:one; $D tag $IMG $N:two; $D images $N --format "{{.Repository}} {{.Tag}} {{.ID}}" | sort; $D images -q $N; $D rmi $N:one; $D rmi $N:two',
  'image tag bad': '$D tag $IMG "bad name"; $D tag nosuch:x $N:y; $D tag $IMG UPPER:x',
  'image table header': '$D images nosuch-$N; $D images --digests nosuch-$N',
  'image inspect unknown': '$D image inspect nosuch-$N; $D image rm nosuch-$N; $D history nosuch-$N',
  'rmi in use':
    'printf $N > f; tar c f | $D import - $N:a >/dev/null; $D create --name $N $N:a x >/dev/null; $D rmi $N:a; $D rm $N >/dev/null; $D rmi $N:a',
  'rmi by id with two names':
    'printf "$N" > f; tar c f | $D import - $N:a >/dev/null; $D tag $N:a $N:b; $D rmi $($D images -q $N | head -1); $D rmi -f $($D images -q $N | head -1)',
  'import with changes':
    'printf x > f; tar c f | $D import -m note -c "CMD [\\"a\\"]" -c "ENV A=b" -c "EXPOSE 80" -c "USER u" -c "WORKDIR /w" -c "VOLUME /v" -c "LABEL l=m" -c "STOPSIGNAL TERM" -c "ENTRYPOINT [\\"e\\"]" - $N:a; $D inspect -f "{{json .Config.Cmd}} {{json .Config.Entrypoint}} {{json .Config.Env}} {{json .Config.ExposedPorts}} {{.Config.User}} {{.Config.WorkingDir}} {{json .Config.Volumes}} {{json .Config.Labels}} {{.Config.StopSignal}} {{.Comment}}" $N:a; $D history --format "{{.CreatedBy}}|{{.Comment}}" $N:a; $D rmi $N:a >/dev/null',
  'import bad change': 'printf x > f; tar c f | $D import -c "RUN x" - $N:a',
  'save and load':
    'printf "$N" > f; tar c f | $D import - $N:a >/dev/null; $D save -o s.tar $N:a; $D rmi $N:a >/dev/null; $D load -i s.tar; $D load -q -i s.tar; $D rmi $N:a >/dev/null',
  'save unknown': '$D save -o s.tar nosuch-$N',
  'load garbage': 'echo garbage > g; $D load -i g; $D load -i nosuch',
  'history of an import':
    'printf 12345678 > f; tar c f | $D import - $N:a >/dev/null; $D history --format "{{.Size}} {{.Comment}}" $N:a; $D history -q $N:a; $D rmi $N:a >/dev/null',
  'image filters':
    '$D tag $IMG $N:one; $D images --filter reference=$N --format "{{.Tag}}"; $D images --filter reference="$N:o*" --format "{{.Tag}}"; $D images --filter nosuch=x; $D rmi $N:one >/dev/null',
  'volume create':
    '$D volume create $N; $D volume create $N; $D volume inspect -f "{{.Driver}} {{.Name}} {{.Scope}} {{json .Labels}} {{json .Options}}" $N',
  'volume labels and filters':
    '$D volume create --label a=b $N; $D volume ls --filter label=a=b --filter name=$N -q; $D volume ls --filter label=a=c --filter name=$N -q; $D volume ls --filter driver=local --filter name=$N -q; $D volume ls --filter dangling=true --filter name=$N -q; $D volume ls --filter nosuch=1',
  'volume bad names':
    '$D volume create "a b"; $D volume create x; $D volume create -d nosuch ${N}z; $D volume rm nosuch-$N; $D volume rm -f nosuch-$N; $D volume inspect nosuch-$N',
  'volume in use':
    '$D create --name $N -v ${N}v:/d $IMG true >/dev/null; $D volume rm ${N}v; $D rm $N >/dev/null; $D volume rm ${N}v',
  'volume table header': '$D volume ls --filter name=nosuch-$N',
  'volume bad option': '$D volume create -o nosuch=1 $N; $D volume create -o type=tmpfs $N',
  'volume tmpfs option':
    '$D volume create -o type=tmpfs -o device=tmpfs -o o=size=1m $N; $D run --rm -v $N:/d $IMG sh -c "df -k /d | tail -1 | tr -s \\" \\" | cut -d\\" \\" -f2"',
  'volume bind option':
    'mkdir src; echo s > src/f; $D volume create -o type=none -o device=$W/src -o o=bind $N; $D run --rm -v $N:/d $IMG cat /d/f',
  'volume is filled from the image':
    '$D run --rm -v $N:/etc $IMG cat /etc/hostname >/dev/null; $D run --rm -v $N:/d $IMG ls /d | grep -c passwd; $D run --rm -v ${N}b:/etc:nocopy $IMG ls /etc/passwd',
  'volume update refused': '$D volume create $N >/dev/null; $D volume update $N',
  'rm -v':
    '$D create --name $N -v /anon -v ${N}v:/named $IMG true >/dev/null; v=$($D inspect -f "{{range .Mounts}}{{if eq .Destination \\"/anon\\"}}{{.Name}}{{end}}{{end}}" $N); $D rm -v $N; $D volume inspect -f ok $v; $D volume inspect -f ok ${N}v',
  'data-only container':
    '$D run --name $N -v /dbdata $IMG sh -c "echo data > /dbdata/f"; $D run --rm --volumes-from $N -v $W:/backup $IMG tar cf /backup/b.tar /dbdata; tar tf b.tar; $D run --name ${N}c --volumes-from $N $IMG cat /dbdata/f; $D run --rm --volumes-from ${N}c $IMG cat /dbdata/f',
  'network create':
    '$D network create $N; $D network inspect -f "{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}} {{.Attachable}} {{.EnableIPv6}} {{json .Options}} {{json .Labels}}" $N; $D network create $N; $D network rm $N',
  'network bad':
    '$D network create --subnet 10.300.0.0/16 $N; $D network create --subnet $S.0.0/16 --gateway 10.250.0.1 $N; $D network create -d nosuch $N; $D network rm nosuch-$N; $D network inspect nosuch-$N',
  'network predefined':
    '$D network rm bridge; $D network rm host; $D network rm none; $D network create bridge; $D network ls --filter name=bridge --filter driver=bridge --format "{{.Name}} {{.Driver}} {{.Scope}}" | grep "^bridge "; $D network ls --filter type=builtin --format "{{.Name}} {{.Driver}}"',
  'network subnet':
    '$D network create --subnet $S.0.0/24 --gateway $S.0.254 --ip-range $S.0.128/25 $N >/dev/null; $D run --rm --network $N $IMG sh -c "ip -o -4 addr show eth0 | awk \\"{print \\\\$4}\\"; ip route | head -1"; $D run --rm --network $N --ip $S.0.7 $IMG sh -c "ip -o -4 addr show eth0 | awk \\"{print \\\\$4}\\""; $D run --name $N --network $N --ip 10.250.0.7 $IMG true',
  'network overlap': '$D network create --subnet $S.0.0/24 $N >/dev/null; $D network create --subnet $S.0.0/16 ${N}b',
  'network internal':
    '$D network create --internal $N >/dev/null; $D run --rm --network $N $IMG ip route | grep -c default; $D network inspect -f "{{.Internal}}" $N',
  'network in use':
    '$D network create $N >/dev/null; $D run -d --name $N --network $N $IMG sleep 1000 >/dev/null; $D network rm $N; $D network disconnect $N $N; $D network rm $N',
  'network names resolve':
    '$D network create $N >/dev/null; $D run -d --name ${N}a --network $N --network-alias dad $IMG sleep 1000 >/dev/null; $D run --rm --network $N $IMG sh -c "ping -c1 -W2 ${N}a >/dev/null && echo name; ping -c1 -W2 dad >/dev/null && echo alias; ping -c1 -W2 nosuchname.invalid >/dev/null 2>&1 || echo unknown; cat /etc/resolv.conf | grep ^nameserver"',
  'network connect':
    '$D network create $N >/dev/null; $D run -d --name $N $IMG sleep 1000 >/dev/null; $D network connect --alias al $N $N; $D exec $N ls /sys/class/net; $D inspect -f "{{range \\$k, \\$v := .NetworkSettings.Networks}}{{\\$k}} {{end}}" $N | tr " " "\\n" | sort; $D network connect $N $N; $D network disconnect $N $N; $D exec $N ls /sys/class/net; $D network disconnect $N $N',
  'network connect unknown':
    '$D network create $N >/dev/null; $D network connect $N nosuch; $D network connect nosuch-$N x',
  'network isolation':
    '$D network create $N >/dev/null; $D network create ${N}b >/dev/null; $D run -d --name $N --network $N $IMG sleep 1000 >/dev/null; ip=$($D inspect -f "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}" $N); $D run --rm --network ${N}b $IMG ping -c1 -W1 $ip >/dev/null || echo isolated; $D run --rm --network $N $IMG ping -c1 -W2 $ip >/dev/null && echo reached',
  'network link':
    '$D run -d --name ${N}db -e PASS=x --expose 5432 $IMG sleep 1000 >/dev/null; $D run --rm --name ${N}web --link ${N}db:db $IMG sh -c "env | grep ^DB_ | sort; grep -cw db /etc/hosts; ping -c1 -W2 db >/dev/null && echo reached"',
  'network link unknown': '$D run --rm --link nosuch:x $IMG true',
  'network inspect members':
    '$D network create $N >/dev/null; $D run -d --name $N --network $N $IMG sleep 1000 >/dev/null; $D network inspect -f "{{range .Containers}}{{.Name}} {{.IPv4Address}}{{end}}" $N',
  'network settings of a running one':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D inspect -f "{{json .NetworkSettings}}" $N | tr , "\\n" | sed "s/:.*//" | tr -d "{}"',
  'network overlay refused': '$D network create -d overlay $N | head -1 | cut -c1-30',
  'network filters':
    '$D network create --label a=b $N >/dev/null; $D network ls --filter label=a=b --filter name=$N --format "{{.Name}}"; $D network ls --filter driver=bridge --filter name=$N -q | wc -l; $D network ls --filter nosuch=1',
  'network aux and options':
    '$D network create --subnet $S.0.0/24 --aux-address one=$S.0.5 -o com.docker.network.bridge.enable_icc=false -o com.docker.network.driver.mtu=1400 $N >/dev/null; $D network inspect -f "{{json .IPAM.Config}} {{json .Options}}" $N; $D run --rm --network $N $IMG cat /sys/class/net/eth0/mtu',
  'pull of a bad name': '$D pull UPPER; $D pull x:y:z',
  'push of an unknown image': '$D push 127.0.0.1:1/nosuch-$N:x',
  'unknown command': '$D iamges',
  'version format': '$D version --format "{{.Server.Os}} {{.Server.APIVersion}}"',
  'info format': '$D info --format "{{.OSType}} {{.Driver}} {{.LoggingDriver}}"',
  'system df': '$D system df --format "{{.Type}}"',
});
