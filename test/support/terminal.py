"""Runs a program in a pseudo-terminal: argv[1] is JSON with cmd, env, rows, cols and steps; prints JSON with output, code and whether echo was restored."""
import fcntl, json, os, pty, select, signal, struct, subprocess, sys, termios, time

job = json.loads(sys.argv[1])
controller, terminal = pty.openpty()
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', job.get('rows', 24), job.get('cols', 80), 0, 0))
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(terminal, fd)
    os.closerange(3, 64)
    os.execvpe(job['cmd'][0], job['cmd'], {**os.environ, **job.get('env', {})})

output = b''
seen = 0
problem = None

def pump(until, seconds):
    """Reads until the text shows up behind what was found before; true if it did."""
    global output, seen
    limit = time.time() + seconds
    while time.time() < limit:
        found = output.find(until.encode(), seen)
        if found >= 0:
            seen = found + len(until.encode())
            return True
        ready, _, _ = select.select([controller], [], [], 0.05)
        if ready:
            output += os.read(controller, 65536)
    return False

for step in job['steps']:
    if 'expect' in step:
        if not pump(step['expect'], step.get('seconds', 60)):
            problem = 'never saw %r' % step['expect']
            break
    elif 'send' in step:
        os.write(controller, step['send'].encode())
    elif 'resize' in step:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', *step['resize'], 0, 0))
    elif 'signal' in step:
        os.kill(pid, getattr(signal, step['signal']))
    elif 'run' in step:
        subprocess.run(step['run'], check=True)

code = None
limit = time.time() + 60
while problem is None and time.time() < limit and code is None:
    ready, _, _ = select.select([controller], [], [], 0.05)
    if ready:
        output += os.read(controller, 65536)
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        code = os.waitstatus_to_exitcode(status)
if code is None:
    problem = problem or 'did not end'
    os.kill(pid, signal.SIGKILL)
flags = termios.tcgetattr(terminal)
sane = bool(flags[3] & termios.ECHO) and bool(flags[3] & termios.ICANON) and bool(flags[1] & termios.OPOST)
print(json.dumps({'output': output.decode(errors='replace'), 'code': code, 'problem': problem, 'sane': sane}))
