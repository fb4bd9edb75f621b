import { scenarios } from './scenario.ts';

/**
 * `cp` as a table: kinds of sources by kinds of destinations, both ways, in each state of a container. A scenario makes a directory a case, does
 * all copies, and shows all of it at the end.
 */
const HELPERS = `
umask 022
cases=0
# Docker's CLI complains of pipes that it closed itself, or not, as it comes.
copy() { $D cp "$@" 2>$W/.err; result=$?; grep -v '^time=' $W/.err; echo "= $result"; }
show() { find "$@" -type d -printf '%y %m %U:%G %p\\n' -o -printf '%y %m %U:%G %s %p %l\\n' | sort; }
inside() { $D cp $N:$1 - | tar tv --numeric-owner | sed -E 's/ +/ /g' | cut -d' ' -f1,2,3,6-; }
tree() { mkdir -p $1/dir/sub $1/empty; echo one > $1/file; echo two > $1/dir/inner; echo three > $1/dir/sub/deep; chmod 640 $1/dir/inner; chmod 750 $1/dir/sub; ln -s file $1/filelink; ln -s dir $1/dirlink; ln -s nowhere $1/dangling; }
`;
const SOURCES = 'file dir dir/. filelink dirlink dirlink/ dirlink/. dangling file/ missing';
const PLACES = 'tofile todir new new/ no/new tofilelink todirlink tofile/';
const PLACE = (at: string) =>
  `mkdir -p ${at}/todir/dir; echo old > ${at}/tofile; echo old > ${at}/todir/dir/inner; ln -s tofile ${at}/tofilelink; ln -s todir ${at}/todirlink; ln -s nothing ${at}/todangling`;

/** Every source to every place; the cases are prepared where the copies go. */
const inTable = (sources: string, places: string, flags = '') => `
tree s
for s in ${sources}; do for p in ${places}; do cases=$((cases + 1)); ${PLACE('t/c$cases')}; done; done
$D cp t $N:/ 2>/dev/null
cases=0
for s in ${sources}; do for p in ${places}; do cases=$((cases + 1)); echo "# $cases $s -> $p"; copy ${flags} s/$s $N:/t/c$cases/$p; done; done
inside /t`;
const outTable = (sources: string, places: string, flags = '') => `
tree s; $D cp s $N:/ 2>/dev/null
for s in ${sources}; do for p in ${places}; do
  cases=$((cases + 1)); ${PLACE('t/c$cases')}; echo "# $cases $s -> $p"; copy ${flags} $N:/s/$s t/c$cases/$p
done; done
show t`;

const FEW = 'file dir dir/. dirlink missing';
const FEW_PLACES = 'tofile todir/ new todirlink';

export const copies = scenarios({
  'cp in, stopped': `${HELPERS}$D create --name $N $IMG true >/dev/null${inTable(SOURCES, PLACES)}`,
  'cp out, stopped': `${HELPERS}$D create --name $N $IMG true >/dev/null${outTable(SOURCES, PLACES)}`,
  'cp in, running': `${HELPERS}$D run -d --name $N $IMG sleep 1000 >/dev/null${inTable(FEW, FEW_PLACES)}`,
  'cp out, running': `${HELPERS}$D run -d --name $N $IMG sleep 1000 >/dev/null${outTable(FEW, FEW_PLACES)}`,
  'cp -L in': `${HELPERS}$D create --name $N $IMG true >/dev/null${inTable('filelink dirlink dirlink/. dangling', 'tofile todir new no/new', '-L')}`,
  'cp -L out': `${HELPERS}$D create --name $N $IMG true >/dev/null${outTable('filelink dirlink dirlink/. dangling', 'tofile todir new no/new', '-L')}`,
  'cp out to links': `${HELPERS}$D create --name $N $IMG true >/dev/null${outTable('file dir', 'tofilelink todirlink todangling tofile/')}`,
  'cp owners': `${HELPERS}tree s; chown -R 1234:5678 s; chown 4321:8765 s/file; $D create --name $N $IMG true >/dev/null
    mkdir into; $D cp into $N:/plain; $D cp into $N:/kept; $D cp s $N:/plain; $D cp -a s $N:/kept; inside /plain; inside /kept
    $D cp $N:/kept plain; $D cp -a $N:/kept kept; show plain kept; $D cp -a $N:/kept/s/file - | tar tv --numeric-owner | cut -d' ' -f2`,
  'cp modes and kinds': `${HELPERS}mkdir s; echo x > s/setuid; chmod 4755 s/setuid; mkdir s/sticky; chmod 1777 s/sticky; mkfifo s/fifo; mknod s/zero c 1 5; echo h > s/hard; ln s/hard s/hard2; truncate -s 1M s/holes; touch -d @1000000000.5 s/old
    $D create --name $N $IMG true >/dev/null; $D cp s $N:/; inside /s; $D cp $N:/s out; show out; stat -c %h out/hard; stat -c %Y out/old; stat -c '%t %T' out/zero; $D cp s/fifo $N:/f; $D cp $N:/f g; show g`,
  'cp tar in': `${HELPERS}tree s; $D create --name $N $IMG true >/dev/null; mkdir t; ${PLACE('t')}; $D cp t $N:/
    for p in t t/tofile t/new t/no/new t/todirlink t/todangling t/tofilelink t/todir/ t/tofile/; do echo "# $p"; tar c s | copy - $N:/$p; done
    printf '' | copy - $N:/t; tar cz s | copy - $N:/t/todir; tar c s | copy -a - $N:/t; tar c s | copy -L - $N:/t
    inside /t`,
  'cp tar out': `${HELPERS}tree s; $D create --name $N $IMG true >/dev/null; $D cp s $N:/
    for s in ${SOURCES}; do echo "# $s"; $D cp $N:/s/$s - > f 2>e; echo "= $? $(cat e)"; tar tf f 2>/dev/null; $D cp -L $N:/s/$s - > f 2>e; echo "= $? $(cat e)"; tar tf f 2>/dev/null; done
    $D cp $N:/ - | tar t | head -3; $D cp $N:/. - | tar t | head -3; $D cp $N:s/file - | tar t; $D cp $N:s/../s/./file - | tar t; $D cp - - </dev/null; $D cp $N:/ root 2>/dev/null; ls root`,
  'cp names': `${HELPERS}$D create --name $N $IMG true >/dev/null; mkdir s; for n in 'a b' 'a:b' -dash 'ü' '*' '$x' 'q"q' 'back\\slash' .hidden '...' ; do echo "$n" > "s/$n"; done
    $D cp s $N:/; inside /s | sort
    cd s; for n in 'a b' ./a:b a:b ./-dash ü '*' '$x' 'q"q' 'back\\slash' .hidden ...; do echo "# $n"; copy "$n" $N:/tmp/; mkdir -p o; copy "$N:/s/\${n#./}" o/; done; copy -- -dash $N:/tmp/dash; show o; inside /tmp | sort`,
  'cp through mounts': `${HELPERS}echo x > f; mkdir h; echo host > h/in
    flags="-v $N:/vol -v $N:/ro:ro"
    $D create --name $N-a $flags $IMG true >/dev/null; $D run -d --name $N-b $flags $IMG sh -c 'echo a >/vol/a; exec sleep 1000' >/dev/null; $D run -d --read-only --name $N-c $flags $IMG sleep 1000 >/dev/null
    until $D exec $N-b test -e /vol/a; do sleep .1; done
    for c in a b c; do [ $c = c ] && $D pause $N-c >/dev/null; for p in /vol/ /ro/ /tmp/ /vol/../ro/x /vol /nosuch/; do echo "# $c $p"; copy f $N-$c:$p; done
      for p in /vol/a /ro/a /vol /etc/hostname /proc/nosuch; do echo "# $c $p"; $D cp $N-$c:$p - 2>e | tar t; cat e; done; done
    $D exec $N-b sh -c 'find /vol | sort'; $D unpause $N-c >/dev/null`,
  'cp words': `${HELPERS}echo x > f; $D create --name $N $IMG true >/dev/null; for a in "f nosuchc:/x" "nosuchc:/x y" "$N:/f f" "f $N:" "$N:/etc/passwd $N:/x" "$N:/etc/passwd other:/x" "nosuch $N:/" "f f" "- $N:/etc/passwd" "$N:/etc/passwd/x o" "f $N:/etc/passwd/x" "f $N:/etc/passwd/" "-q f $N:/q" "f $N:rel/../relf" "/dev/null $N:/n" "$N:/bin/sh no/such/place" "$N:/bin/sh ."; do echo "# $a"; copy $a </dev/null; done; show sh; inside /relf`,
});
