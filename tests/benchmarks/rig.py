"""Sets up what the benchmarks run, starts servers, puts load on them.

Everything that is made lies in one folder, `$BENCH_HOME` or `.bench` in the repository: virtual environments, Node's
modules, compiled programs, logs and results. Server and load generator have a core each, where `taskset` is there.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .peers import OURS, Peer

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HOME = Path(os.environ.get('BENCH_HOME') or ROOT / '.bench').resolve()
SERVER_CORE, CLIENT_CORE = '0', '1'
#: How long a server may take to listen, and to settle after that and after a load, in seconds.
PATIENCE, SETTLE = 20.0, 0.3
#: Open files of a server.
MANY_FILES = 10_240 * 2
#: A load that takes longer than this hangs, in seconds.
TOO_LONG = 180.0


class CannotRun(Exception):
    """Something is missing here, or a server does not run; says what."""


# -- setting up -------------------------------------------------------------------------------------------------------


def set_up(peers: Iterable[Peer]) -> None:
    """All that these peers need, made once. Raises CannotRun."""
    peers = list(peers)
    allow_many_files()
    (HOME / 'results').mkdir(parents=True, exist_ok=True)
    compile_c(HERE / 'loadgen.c')
    if any('/cfloor' in peer.command for peer in peers):
        compile_c(HERE / 'servers' / 'cfloor.c')
    if any(peer.command.startswith('node ') for peer in peers):
        install_node_modules()
    for venv, packages in {(peer.venv, peer.packages) for peer in peers if peer.venv}:
        install_venv(HOME / 'venvs' / venv, packages)


def compile_c(source: Path) -> None:
    program = HOME / source.stem
    sources = [source, HERE / 'portable.h']
    if not program.exists() or any(s.stat().st_mtime > program.stat().st_mtime for s in sources):
        make('cc', '-O2', '-Wno-unused-function', '-o', program, source)


def install_node_modules() -> None:
    folder, wanted = HOME / 'node', HERE / 'servers' / 'node'
    lock = wanted / 'package-lock.json'
    if not is_made(folder, lock.read_text()):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ('package.json', 'package-lock.json', '.npmrc'):
            shutil.copy(wanted / name, folder)
        make('npm', 'ci', '--silent', cwd=folder)
        remember(folder, lock.read_text())


def install_venv(folder: Path, packages: str) -> None:
    recipe = sys.version + packages
    if OURS in packages:
        recipe += str(ROOT) + (ROOT / 'setup.cfg').read_text()
    if not is_made(folder, recipe):
        make(sys.executable, '-m', 'venv', '--clear', folder)
        make(folder / 'bin' / 'python', '-m', 'pip', 'install', '-qq', *shlex.split(packages.format(root=ROOT)))
        remember(folder, recipe)


def is_made(folder: Path, recipe: str) -> bool:
    made = folder / '.made'
    return made.exists() and made.read_text() == recipe


def remember(folder: Path, recipe: str) -> None:
    (folder / '.made').write_text(recipe)


def make(*command: str | Path, cwd: Path | None = None) -> None:
    print('+', *command, flush=True)
    try:
        subprocess.run(command, cwd=cwd, check=True)
    except FileNotFoundError:
        raise CannotRun(f'{command[0]} is missing') from None
    except subprocess.CalledProcessError as e:
        raise CannotRun(f'{command[0]} failed with status {e.returncode}') from None


def versions(peers: Iterable[Peer]) -> str:
    """What was measured on."""
    parts = [processor(), f'{platform.system()} {platform.release()}', f'Python {platform.python_version()}']
    if any(peer.command.startswith('node ') for peer in peers):
        parts.append('Node ' + subprocess.run(['node', '--version'], capture_output=True, text=True).stdout.strip())
    if not pins():
        parts.append('not pinned to cores')
    return ', '.join(parts)


def processor() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return f'{len(names)} cores of {names[0]}' if names else platform.machine()


# -- running ----------------------------------------------------------------------------------------------------------


def pins() -> bool:
    """Server and client can be given a core each."""
    return shutil.which('taskset') is not None and (os.cpu_count() or 1) > 1


def on_core(core: str, command: list[str]) -> list[str]:
    return ['taskset', '-c', core, *command] if pins() else command  # taskset execs: the pid is the command's


def allow_many_files() -> None:
    """A server of 10,000 clients has as many open; what a shell allows by default is less."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, MANY_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


class Server:
    """A peer that runs until `stop`. Raises CannotRun where it does not listen."""

    def __init__(self, peer: Peer, more: str = '') -> None:
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]
        command = peer.command.format(port=self.port, here=HERE, home=HOME, venv=peer.venv) + more
        env = {**os.environ, 'NODE_PATH': str(HOME / 'node' / 'node_modules')}
        env.pop('PYTHONPATH', None)
        self._log = HOME / 'results' / f'server-{self.port}.log'
        with self._log.open('wb') as log:
            self.process = subprocess.Popen(
                on_core(SERVER_CORE, shlex.split(command)), env=env, stdout=log, stderr=log, cwd=HOME
            )
        try:
            self._wait()
        except CannotRun:
            self.stop()
            raise

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(('127.0.0.1', self.port)) == 0:
                    return time.sleep(SETTLE)
            time.sleep(0.05)
        raise CannotRun(f'a server does not listen:\n{self._log.read_text("utf-8", "replace")[-2000:]}')

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if not self._log.stat().st_size:
            self._log.unlink()


@contextmanager
def serving(peer: Peer, more: str = '') -> Iterator[Server]:
    server = Server(peer, more)
    try:
        yield server
    finally:
        server.stop()


def load(server: Server, proto: str, options: str, seconds: float, warmup: float = 0.3) -> dict[str, Any]:
    """What the load generator says; `{'error': ...}` where it failed."""
    command = [str(HOME / 'loadgen'), '--port', str(server.port), '--proto', proto]
    command += ['--server-pid', str(server.process.pid), '--secs', str(seconds), '--warmup', str(warmup)]
    try:
        done = subprocess.run(
            on_core(CLIENT_CORE, command + options.split()), capture_output=True, text=True, timeout=TOO_LONG
        )
    except subprocess.TimeoutExpired:
        return {'error': f'no end after {TOO_LONG:.0f} seconds'}
    time.sleep(SETTLE)  # a server that says good-bye to its clients is not to be in the next one's way
    try:
        said = json.loads(done.stdout)
    except ValueError:
        return {'error': (done.stdout + done.stderr)[-300:]}
    if said.get('errors'):
        said['error'] = f'{said["errors"]} errors: {done.stderr[:300]}'
    return said
