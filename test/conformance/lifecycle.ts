import { scenarios } from './scenario.ts';

/** Life cycle, lists, looking in: what the commands around a container say and do. */
export const lifecycle = scenarios({
  'create then start': '$D create --name $N $IMG echo hi; $D start $N; $D wait $N; $D logs $N',
  'create without a command': '$D create --name $N --entrypoint "" $IMG',
  'start -a': '$D create --name $N $IMG sh -c "echo hi; exit 3" >/dev/null; $D start -a $N',
  'start -ai': '$D create --name $N -i $IMG cat >/dev/null; echo text | $D start -ai $N',
  'start twice': '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D start $N',
  'start unknown': '$D start nosuch',
  'start several':
    '$D create --name $N $IMG true >/dev/null; $D create --name ${N}b $IMG true >/dev/null; $D start $N ${N}b nosuch',
  'stop echoes names':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D stop -t 0 $N; $D inspect -f "{{.State.Status}} {{.State.ExitCode}}" $N; $D stop $N',
  'stop unknown': '$D stop nosuch',
  'stop -s':
    '$D run -d --name $N $IMG sh -c "trap \\"exit 5\\" USR2; while :; do sleep 0.05; done" >/dev/null; sleep 0.5; $D stop -s USR2 $N; $D inspect -f "{{.State.ExitCode}}" $N',
  'kill signal':
    '$D run -d --name $N $IMG sh -c "trap \\"exit 6\\" USR1; while :; do sleep 0.05; done" >/dev/null; sleep 0.5; $D kill -s USR1 $N; $D wait $N',
  'kill stopped': '$D run --name $N $IMG true; $D kill $N',
  'kill bad signal': '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D kill -s NOPE $N',
  restart:
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D restart -t 0 $N; $D inspect -f "{{.State.Running}} {{.RestartCount}}" $N',
  'rm running': '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D rm $N',
  'rm -f': '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D rm -f $N; $D inspect $N',
  'rm unknown': '$D rm nosuch; $D rm -f nosuch',
  'rm paused': '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D pause $N; $D rm $N; $D rm -f $N',
  'pause and unpause':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D pause $N; $D inspect -f "{{.State.Status}} {{.State.Paused}} {{.State.Running}}" $N; $D pause $N; $D exec $N true; $D unpause $N; $D unpause $N',
  'pause stopped': '$D run --name $N $IMG true; $D pause $N',
  'stop paused':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D pause $N >/dev/null; $D stop -t 1 $N; $D inspect -f "{{.State.Status}}" $N',
  rename:
    '$D create --name $N $IMG true >/dev/null; $D rename $N ${N}b; $D inspect -f "{{.Name}}" ${N}b; $D rename ${N}b ${N}b; $D rename nosuch x; $D rename ${N}b "bad name"',
  'wait prints exit code': '$D run -d --name $N $IMG sh -c "sleep 0.3; exit 9" >/dev/null; $D wait $N; $D wait nosuch',
  'logs tail and streams':
    '$D run --name $N $IMG sh -c "echo 1; sleep 0.3; echo 2 >&2; sleep 0.3; echo 3" >/dev/null 2>&1; $D logs --tail 1 $N; $D logs --tail 0 $N; $D logs $N 2>/dev/null',
  'logs -t': '$D run --name $N $IMG echo x >/dev/null; $D logs -t $N',
  'logs --details':
    '$D run --name $N --log-opt env=A --log-opt labels=l -e A=1 -l l=2 $IMG echo x >/dev/null; $D logs --details $N',
  'logs since and until':
    '$D run --name $N $IMG echo x >/dev/null; $D logs --since 1h $N; $D logs --since 2099-01-01 $N; $D logs --until 2001-01-01T00:00:00 $N',
  'logs bad tail': '$D run --name $N $IMG true; $D logs --tail x $N',
  'logs of a long line':
    '$D run --name $N $IMG sh -c "head -c 50000 /dev/zero | tr \\"\\\\0\\" a; echo; printf end" >/dev/null; $D logs $N | wc',
  'logs tail counts the parts of a long line':
    '$D run --name $N $IMG sh -c "echo first; head -c 40000 /dev/zero | tr \\"\\\\0\\" a; echo; echo last" >/dev/null; $D logs --tail 3 $N | wc -c; $D logs -t --tail 2 $N | wc -c',
  'logs --details with tag and patterns':
    '$D run --name $N --log-opt env=A,B --log-opt env-regex=^C --log-opt tag={{.ImageName}}/x -e A=1 -e "B=x y,=z" -e C1=2 $IMG echo x >/dev/null; $D logs --details $N',
  'exec -u keeps added groups':
    '$D run -d --name $N --group-add 777 $IMG sleep 1000 >/dev/null; $D exec -u 1000 $N id -G; $D exec -u 1000:1000 $N id -G',
  'logs follow ends':
    '$D run -d --name $N $IMG sh -c "for i in 1 2 3; do echo \\$i; sleep 0.1; done" >/dev/null; $D logs -f $N',
  'exec output and code':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D exec $N sh -c "echo out; echo err >&2; exit 4" 2>/dev/null',
  'exec with input': '$D run -d --name $N $IMG sleep 1000 >/dev/null; echo in | $D exec -i $N cat',
  'exec options':
    '$D run -d --name $N -e A=1 $IMG sleep 1000 >/dev/null; $D exec -u user -w /tmp -e B=2 $N sh -c "id -un; pwd; echo \\$A\\$B; env | grep -E \\"^(A|B)=\\" | sort"',
  'exec env-file':
    'echo X=file > f; $D run -d --name $N $IMG sleep 1000 >/dev/null; $D exec --env-file f $N printenv X',
  'exec detached':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D exec -d $N touch /done; sleep 0.7; $D exec $N ls /done',
  'exec privileged':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D exec --privileged $N grep -c CapEff /proc/self/status',
  'exec not found': '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D exec $N nosuch',
  'exec not executable': '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D exec $N /etc/passwd',
  'exec unknown user': '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D exec -u nosuch $N true',
  'exec in a stopped container': '$D run --name $N $IMG true; $D exec $N true',
  'exec too few arguments': '$D exec x',
  'exec tty':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D exec -t $N sh -c "test -t 1 && echo tty" | tr -d "\\r"',
  'ps of one':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D ps --filter name=$N --format "{{.ID}} {{.Image}} {{.Command}} {{.Status}} {{.Ports}} {{.Names}} {{.State}}"',
  'ps filters':
    '$D run --name $N -l k=v $IMG sh -c "exit 3"; $D create --name ${N}b $IMG true >/dev/null; $D ps -a --filter name=$N --filter exited=3 --format "{{.Names}}"; $D ps -a --filter name=$N --filter status=created --format "{{.Names}}"; $D ps -a --filter name=$N --filter label=k=v --format "{{.Names}}"; $D ps -a --filter name=$N --filter ancestor=$IMG --format "{{.Names}}" | sort; $D ps -a --filter name=$N --filter before=${N}b --format "{{.Names}}"; $D ps -a --filter name=$N --filter since=$N --format "{{.Names}}"',
  'ps filters of volume and network':
    '$D create --name $N -v ${N}v:/d --network none $IMG true >/dev/null; $D ps -a --filter volume=${N}v --format "{{.Names}}"; $D ps -a --filter name=$N --filter volume=/d --format "{{.Names}}"; $D ps -a --filter name=$N --filter network=none --format "{{.Names}}"',
  'ps filter of ports':
    '$D run -d --name $N -p 127.0.0.1:$P:80 --expose 81 $IMG sleep 1000 >/dev/null; $D ps --filter publish=$P --filter name=$N --format "{{.Names}} {{.Ports}}"; $D ps --filter expose=81/tcp --filter name=$N --format "{{.Names}}"',
  'ps bad filter': '$D ps --filter nosuch=1; $D ps --filter status=nosuch; $D ps --filter x',
  'ps -n and -l':
    '$D create --name $N $IMG true >/dev/null; $D ps -l --filter name=$N --format "{{.Names}}"; $D ps -n 1 --filter name=$N --format "{{.Names}}"',
  'ps quiet no-trunc':
    '$D create --name $N $IMG true >/dev/null; $D ps -aq --no-trunc --filter name=$N; $D ps -aq --filter name=$N',
  'ps table header':
    '$D ps --filter name=nosuch-$N; $D ps --filter name=nosuch-$N -s; $D ps -a --filter name=nosuch-$N --format "table {{.ID}}\\t{{.Size}}"',
  'inspect several':
    '$D create --name $N $IMG true >/dev/null; $D inspect -f "{{.Name}}" $N nosuch; $D inspect --type image $N',
  'inspect bad template':
    '$D create --name $N $IMG true >/dev/null; $D inspect -f "{{.Nope}}" $N; $D inspect -f "{{" $N',
  'inspect path and args':
    '$D create --name $N $IMG echo a b >/dev/null; $D inspect -f "{{.Path}} {{json .Args}} {{.Config.Image}} {{.Platform}} {{.Driver}}" $N',
  'inspect host config': '$D create --name $N $IMG true >/dev/null; $D inspect -f "{{json .HostConfig}}" $N',
  'inspect config': '$D create --name $N $IMG true >/dev/null; $D inspect -f "{{json .Config}}" $N',
  'inspect state': '$D run --name $N $IMG true; $D inspect -f "{{json .State}}" $N',
  'inspect mounts':
    '$D create --name $N -v ${N}v:/v --tmpfs /x $IMG true >/dev/null; $D inspect -f "{{json .Mounts}}" $N; $D inspect -f "{{json .HostConfig.Binds}} {{json .HostConfig.Tmpfs}}" $N',
  'inspect network settings of a stopped one':
    '$D run --name $N $IMG true; $D inspect -f "{{json .NetworkSettings}}" $N | sed "s/\\"SandboxKey\\":\\"[^\\"]*\\"/KEY/"',
  top: '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D top $N | tail -1 | grep -o "sleep 1000"; $D top $N -o pid,comm | tail -1 | grep -o sleep; $D top $N -o nosuch',
  'top stopped': '$D run --name $N $IMG true; $D top $N',
  diff: '$D run --name $N $IMG sh -c "echo x > /new; rm /etc/group; echo y >> /etc/passwd; mkdir /dir; touch /dir/f"; $D diff $N | sort',
  'cp out':
    '$D create --name $N $IMG true >/dev/null; $D cp $N:/etc/passwd p; head -1 p; $D cp $N:/etc e; ls e; $D cp $N:/etc/passwd - | tar t; $D cp $N:/nosuch x; $D cp nosuch:/x x',
  'cp in':
    '$D create --name $N $IMG cat /d/f >/dev/null; mkdir d; echo data > d/f; $D cp d $N:/; $D start -a $N; echo other > o; $D cp o $N:/d/f; $D start -a $N; tar c d | $D cp - $N:/tmp; $D cp $N:/tmp/d/f -  | tar xO',
  'cp running':
    '$D run -d --name $N -v /vol $IMG sleep 1000 >/dev/null; echo v > v; $D cp v $N:/vol/; $D exec $N cat /vol/v; $D cp $N:/vol/v w; cat w',
  'cp read-only': '$D create --name $N --read-only $IMG true >/dev/null; echo x > x; $D cp x $N:/x',
  'cp both local': '$D cp a b; $D cp a:b c:d',
  export:
    '$D create --name $N $IMG true >/dev/null; $D export $N | tar t | grep -c bin/busybox; $D export -o x.tar $N; ls x.tar; $D export nosuch',
  commit:
    '$D run --name $N $IMG sh -c "echo hi > /f"; $D commit -m msg -a me -c "CMD [\\"cat\\",\\"/f\\"]" -c "ENV X=1" $N $N:t >/dev/null; $D run --rm $N:t; $D inspect -f "{{.Comment}} {{.Author}} {{json .Config.Env}}" $N:t; $D history --format "{{.Comment}}" $N:t | head -1; $D rmi $N:t | head -1',
  update:
    '$D run -d --name $N -m 64m $IMG sleep 1000 >/dev/null; $D update -m 128m --memory-swap 256m --cpu-shares 100 --restart always $N; $D inspect -f "{{.HostConfig.Memory}} {{.HostConfig.CpuShares}} {{.HostConfig.RestartPolicy.Name}}" $N; $D update -m 1m $N; $D update --restart nope $N',
  'port of unpublished':
    '$D run -d --name $N -p 127.0.0.1:$P:80 $IMG sleep 1000 >/dev/null; $D port $N 80; $D port $N 81; $D port $N 80/udp',
  'publish all':
    '$D run -d --name $N -P --expose 80 --expose 53/udp $IMG sleep 1000 >/dev/null; $D port $N | sed "s/:[0-9]*$/:PORT/"',
  'port conflict':
    '$D run -d --name $N -p 127.0.0.1:$P:80 $IMG sleep 1000 >/dev/null; $D run -d --name ${N}b -p 127.0.0.1:$P:80 $IMG sleep 1000 2>&1 >/dev/null; $D inspect -f "{{.State.Status}} {{.State.ExitCode}}" ${N}b',
  'health check turns healthy':
    '$D run -d --name $N --health-cmd "test -f /ok" --health-interval 300ms --health-retries 2 $IMG sh -c "sleep 1; touch /ok; sleep 1000" >/dev/null; i=0; while [ $i -lt 100 ] && [ "$($D inspect -f "{{.State.Health.Status}}" $N)" != healthy ]; do sleep 0.1; i=$((i+1)); done; $D inspect -f "{{.State.Health.Status}} {{.State.Health.FailingStreak}}" $N; $D ps --filter name=$N --format "{{.Status}}" | grep -o healthy',
  'health check turns unhealthy':
    '$D run -d --name $N --health-cmd "echo why; exit 1" --health-interval 100ms --health-retries 2 $IMG sleep 1000 >/dev/null; i=0; while [ $i -lt 100 ] && [ "$($D inspect -f "{{.State.Health.Status}}" $N)" != unhealthy ]; do sleep 0.1; i=$((i+1)); done; $D inspect -f "{{.State.Health.Status}} {{(index .State.Health.Log 0).ExitCode}} {{(index .State.Health.Log 0).Output}}" $N',
  'oom is seen':
    '$D run --name $N -m 16m --memory-swap 16m $IMG sh -c "x=a; while :; do x=\\$x\\$x; done"; $D inspect -f "{{.State.OOMKilled}} {{.State.ExitCode}}" $N',
  'events of a run':
    'since=$(date +%s); $D run --rm --name $N $IMG true; sleep 1; $D events --since $since --until $(date +%s) --filter container=$N --format "{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.image}}"',
  'events of exec':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; since=$(date +%s); $D exec $N true; $D kill $N >/dev/null; sleep 1; $D events --since $since --until $(date +%s) --filter container=$N --filter event=exec_create --filter event=exec_start --filter event=exec_die --filter event=kill --filter event=die --format "{{.Action}} {{.Actor.Attributes.exitCode}} {{.Actor.Attributes.signal}}"',
  'ambiguous and short ids': 'id=$($D create --name $N $IMG true); $D inspect -f "{{.Name}}" $(echo $id | cut -c1-12)',
  'container prune asks': '$D container prune </dev/null',
  'stats no stream':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D stats --no-stream --format "{{.Name}} {{.PIDs}}" $N; $D stats --no-stream nosuch',
  'auto remove takes anonymous volumes':
    '$D run --rm --name $N -v /anon $IMG sh -c true; $D volume ls -q --filter name=nosuch$N',
  'attach to a stopped one': '$D run --name $N $IMG true; $D attach $N',
  'attach sees output': '$D run -d --name $N $IMG sh -c "sleep 5; echo late; exit 3" >/dev/null; $D attach $N',
  'attach without stdin': '$D run -d --name $N -i $IMG sh -c "sleep 5; echo done" >/dev/null; $D attach --no-stdin $N',
  'stop and restart with a bad signal':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D stop -s NOPE $N; $D restart -s NOPE $N; $D inspect -f "{{.State.Status}}" $N',
  'update of cpus and quota':
    '$D run -d --name $N --cpus 0.5 $IMG sleep 1000 >/dev/null; $D update --cpu-quota 20000 $N; $D update --cpus 1 --cpu-period 50000 $N; $D update --cpus 1 $N >/dev/null; $D inspect -f "{{.HostConfig.NanoCpus}}" $N',
  'update of memory above its swap':
    '$D run -d --name $N -m 64m $IMG sleep 1000 >/dev/null; $D update -m 256m $N; $D inspect -f "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}" $N',
  'update of restart with rm': '$D run -d --rm --name $N $IMG sleep 1000 >/dev/null; $D update --restart always $N',
  'update of pids':
    '$D run -d --name $N --pids-limit 50 $IMG sleep 1000 >/dev/null; $D update --pids-limit -1 $N >/dev/null; $D inspect -f "{{.HostConfig.PidsLimit}}" $N; $D update --pids-limit 70 $N >/dev/null; $D inspect -f "{{.HostConfig.PidsLimit}}" $N',
  'inspect after a failed start':
    '$D create --name $N $IMG nosuch >/dev/null; $D start $N >/dev/null 2>&1; $D inspect -f "{{.State.Status}} {{.State.ExitCode}} {{.State.Error}} {{ne .HostsPath \\"\\"}} {{ne .LogPath \\"\\"}}" $N',
  'inspect mac address':
    '$D run -d --name $N --mac-address 02:11:22:33:44:55 $IMG sleep 1000 >/dev/null; $D inspect -f "{{eq .Config.MacAddress .NetworkSettings.MacAddress}}" $N; $D kill $N >/dev/null; $D inspect -f "{{eq .Config.MacAddress \\"\\"}} {{eq .NetworkSettings.MacAddress \\"\\"}}" $N',
  'ps filter of exit codes is one among those that run':
    '$D run --name $N $IMG sh -c "exit 3"; $D ps --filter name=$N --filter exited=3 --format "{{.Names}}"; $D ps -a --filter name=$N --filter exited=3 --format "{{.Names}}"',
  'ps filter of health':
    '$D run -d --name $N --health-cmd true --health-interval 100ms $IMG sleep 1000 >/dev/null; i=0; while [ $i -lt 100 ] && [ "$($D inspect -f "{{.State.Health.Status}}" $N)" != healthy ]; do sleep 0.1; i=$((i+1)); done; for h in healthy unhealthy none starting nope; do $D ps --filter name=$N --filter health=$h --format "$h {{.Names}}"; done',
  'ps filter of is-task and ids':
    'id=$($D create --name $N $IMG true); $D ps -a --filter name=$N --filter is-task=false --format "{{.Names}}"; $D ps -a --filter name=$N --filter is-task=true --format "{{.Names}}"; $D ps -a --filter id=$(echo $id | cut -c1-20) --format "{{.Names}}"',
  'health check is late':
    '$D run -d --name $N --health-cmd "echo begun; sleep 100" --health-interval 100ms --health-timeout 1500ms $IMG sleep 1000 >/dev/null; i=0; while [ $i -lt 100 ] && [ "$($D inspect -f "{{len .State.Health.Log}}" $N)" = 0 ]; do sleep 0.1; i=$((i+1)); done; $D inspect -f "{{(index .State.Health.Log 0).ExitCode}} {{(index .State.Health.Log 0).Output}}" $N',
  'health check without a shell':
    '$D run -d --name $N --health-cmd "nosuch-command" --health-interval 100ms --health-retries 1 $IMG sleep 1000 >/dev/null; i=0; while [ $i -lt 100 ] && [ "$($D inspect -f "{{len .State.Health.Log}}" $N)" = 0 ]; do sleep 0.1; i=$((i+1)); done; $D inspect -f "{{(index .State.Health.Log 0).ExitCode}} {{(index .State.Health.Log 0).Output}}" $N',
  'events of a commit':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; since=$(date +%s); $D commit $N $N:t >/dev/null; $D commit -p=false $N $N:t >/dev/null; sleep 1; $D events --since $since --until $(date +%s) --filter container=$N --filter type=container --format "{{.Action}} {{.Actor.Attributes.imageRef}}" | grep -v "create\\|start"; $D inspect -f "{{.State.Status}}" $N; $D rmi $N:t >/dev/null',
  'commit keeps what is not changed':
    '$D create --name $N -e A=1 -l k=v -w /tmp -u user --expose 80 -v /vv --entrypoint sh --stop-signal USR1 --health-cmd true $IMG -c x >/dev/null; $D commit -c "ENV B=2" -c "LABEL k2=v2" $N $N:t >/dev/null; $D inspect -f "{{json .Config}}" $N:t; $D history --format "{{.CreatedBy}}" $N:t | head -1; $D rmi $N:t >/dev/null',
  'commit with a bad change':
    '$D create --name $N $IMG true >/dev/null; $D commit -c "RUN x" $N; $D commit $N UPPER; $D commit nosuch x',
  'container prune with filters':
    '$D create --name $N -l $N=1 $IMG true >/dev/null; $D run -d --name ${N}b -l $N=1 $IMG sleep 1000 >/dev/null; $D container prune -f --filter label=$N=2; $D container prune -f --filter label=$N=1 --filter until=2001-01-01; $D container prune -f --filter label=$N=1 | grep -v "^ID\\|^[0-9a-f]*$"; $D ps -a --filter name=$N --format "{{.Names}}"; $D container prune -f --filter nosuch=1',
  'system prune asks': '$D system prune </dev/null; $D system prune -a --volumes </dev/null',
  'rm of all by their ids':
    '$D create --name $N $IMG true >/dev/null; $D run -d --name ${N}b $IMG sleep 1000 >/dev/null; $D rm $($D ps -aq --filter name=$N --no-trunc) 2>&1 | sed "s/\\"[0-9a-f]*\\"/ID/"; $D rm -f $($D ps -aq --filter name=$N --no-trunc); $D ps -aq --filter name=$N',
  'rm -l of no link': '$D create --name $N $IMG true >/dev/null; $D rm -l $N; $D rm -l $N/nosuch',
  'export of a paused one':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D pause $N >/dev/null; $D export $N | tar t | grep -c "^bin/busybox$"; $D inspect -f "{{.State.Status}}" $N',
  'wait for several':
    '$D run -d --name $N $IMG sh -c "exit 3" >/dev/null; $D run -d --name ${N}b $IMG sh -c "sleep 0.3; exit 4" >/dev/null; $D wait $N ${N}b nosuch',
  'logs of the local driver':
    '$D run --name $N --log-driver local --log-opt max-size=1m $IMG sh -c "echo 1; echo 2; echo 3" >/dev/null; $D logs --tail 2 $N; $D logs --details --tail 1 $N; $D logs -t $N; $D logs -f --since 1h $N',
  'logs that do not block':
    '$D run --name $N --log-opt mode=non-blocking --log-opt max-buffer-size=1m $IMG echo x >/dev/null; $D logs $N; $D create --log-opt mode=nope $IMG true; $D create --log-opt max-buffer-size=1m $IMG true',
  'top with options':
    '$D run -d --name $N $IMG sleep 1000 >/dev/null; $D top $N | head -1; $D top $N aux | head -1; $D top $N -eo pid,comm | head -1; $D top $N -o comm',
});
