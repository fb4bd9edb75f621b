import { scenarios } from './scenario.ts';

/** Every form of `-v` and `--mount` as tables of cases, and who removes anonymous volumes. */
const HELPERS = `
umask 022
# A case: the command, what it says, its exit code.
t() { echo "# $*"; $D "$@" </dev/null; echo "= $?"; }
mounts() { $D inspect -f '{{range .Mounts}}{{println .Type .Name .Source .Destination .Driver .Mode .RW .Propagation}}{{end}}' $1 | sed -E 's#[^ ]*/volumes/#VOLUMES/#' | sort; }
# Creates a container with the given flags, shows its mounts and removes it.
made() { echo "# $*"; $D create --name $N "$@" $IMG true </dev/null >out 2>&1 || { cat out; echo "= 1"; return; }
  $D inspect -f '{{json .HostConfig.Binds}} {{json .HostConfig.Mounts}} {{json .HostConfig.Tmpfs}}{{range .Mounts}}{{print "\\n" .Type " " .Name " " .Source " " .Destination " " .Driver " " .Mode " " .RW " " .Propagation}}{{end}}' $N | sed -E 's#[^ ]*/volumes/#VOLUMES/#' | sort; $D rm -v $N >/dev/null; }
`;

export const volumes = scenarios({
  'v words': `${HELPERS}for s in '' : :: $N relative / /d: :/d $N: $N:b /tmp:b $N:/ /tmp:/ $N:/b: $N:/b:c $N:/b:c:d ./rel:/b . .. ./x $N/b:/c .$N:/c -$N:/c _$N:/c "$N b:/c" $N:/../../x $N:/b/../c $N://b $N:/b/ $N:/b// $N:. $N:.. /d/ //d '/d e' ~~:/d; do made -v "$s"; done`,
  'v modes': `${HELPERS}for m in ro z nocopy ro,z rw,Z,nocopy z,Z ro,rw ro,ro nocopy,nocopy RO , shared slave shared,slave ro,shared consistent cached default cached,delegated ro,cached unbindable; do made -v $N:/d:$m; made -v /tmp:/d:$m; made -v /d:$m; done`,
  'mount words': `${HELPERS}for s in '' , = type type= type=bind type=volume type=tmpfs type=image type=npipe type=cluster type=Volume type=volume, target=/x dst=/x destination=/x target=x type=volume,dst=/ type=volume,dst=// type=volume,dst=/x/.. type=bind,dst=/x type=bind,src=rel,dst=/x type=bind,src=./,dst=/x type=bind,src=/nosuch/at/all,dst=/x type=bind,src=/tmp,dst=x type=bind,src=/tmp,dst=/ \\
    type=bind,src=/tmp,dst=/x,ro type=bind,src=/tmp,dst=/x,ro=1 type=bind,src=/tmp,dst=/x,ro=false type=bind,src=/tmp,dst=/x,readonly=nope type=bind,src=/tmp,dst=/x,bind-propagation=rslave type=bind,src=/tmp,dst=/x,bind-propagation=nope type=bind,src=/tmp,dst=/x,bind-propagation type=bind,src=/tmp,dst=/x,consistency=cached type=bind,src=/tmp,dst=/x,consistency=nope type=bind,src=/tmp,dst=/x,volume-nocopy type=bind,src=/tmp,dst=/x,tmpfs-size=1m type=bind,src=/tmp,dst=/x,image-subpath=a type=bind,src=/tmp//.,dst=/x//y/../z/ type=bind,src=/tmp/,dst=/x/ \\
    type=bind,src=/tmp,dst=/x,bind-nonrecursive type=bind,src=/tmp,dst=/x,bind-nonrecursive=false type=bind,src=/tmp,dst=/x,bind-nonrecursive=x type=bind,src=/tmp,dst=/x,bind-recursive=enabled type=bind,src=/tmp,dst=/x,bind-recursive=disabled type=bind,src=/tmp,dst=/x,bind-recursive=writable type=bind,src=/tmp,dst=/x,ro,bind-recursive=writable type=bind,src=/tmp,dst=/x,bind-recursive=readonly type=bind,src=/tmp,dst=/x,ro,bind-recursive=readonly type=bind,src=/tmp,dst=/x,ro,bind-recursive=readonly,bind-propagation=rprivate type=bind,src=/tmp,dst=/x,ro,bind-recursive=readonly,bind-propagation=rslave type=bind,src=/tmp,dst=/x,bind-recursive=nope type=bind,src=/tmp,dst=/x,bind-recursive=true; do made --mount "$s"; done`,
  'anonymous volumes and who removes them': `${HELPERS}
    count() { echo "$($D volume ls -q --filter name=$v | wc -l) $1"; }
    of() { $D inspect -f '{{range .Mounts}}{{.Name}}{{end}}' $1; }
    $D create --name $N -v /a $IMG true >/dev/null; v=$(of $N); $D volume inspect -f '{{json .Labels}}' $v; $D rm $N >/dev/null; count rm; $D run --rm -v $v:/a $IMG true; count 'rm of a named use'; $D create --name $N -v $v:/a $IMG true >/dev/null; $D rm -v $N >/dev/null; count 'rm -v of a named use'; $D volume rm $v >/dev/null
    $D create --name $N -v /a $IMG true >/dev/null; v=$(of $N); $D create --name $N-b --volumes-from $N $IMG true >/dev/null; t rm -v $N; count 'still used'; t rm -v $N-b; count 'last user'; $D volume rm $v >/dev/null 2>&1
    $D run -d --name $N --rm -v /a $IMG sleep 1000 >/dev/null; v=$(of $N); $D run --rm --volumes-from $N $IMG true; count 'other run --rm'; $D kill $N >/dev/null; while $D inspect $N >/dev/null 2>&1; do sleep .1; done; count 'run --rm'
    $D volume create >id; v=$(cat id); $D volume inspect -f '{{json .Labels}}' $v; $D create --name $N -v $v:/a $IMG true >/dev/null; $D rm -v $N >/dev/null; count 'made by volume create'; $D volume rm $v >/dev/null
    $D create --name $N --mount type=volume,dst=/a $IMG true >/dev/null; v=$(of $N); $D volume inspect -f '{{json .Labels}}' $v; $D rm -fv $N >/dev/null; count 'mount'`,
});
