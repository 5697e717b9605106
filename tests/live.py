"""A real server in a process of its own, on a port that the system chooses.

    with serve('tests.fixtureapps.pingpong', ping_interval=0.3) as live:
        requests.get(live.url + '/')

The process runs what an ini says, through PasteDeploy or, with `gearbox=True`, through `gearbox serve`.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar('T')
ROOT = Path(__file__).resolve().parent.parent
#: One unit that scales every time-out of the tests, in seconds.
PATIENCE = 15.0

INI = """
[DEFAULT]
debug = {debug}
[server:main]
use = egg:tgsio_middleware#socketio
port = {port}
{server}
[pipeline:main]
pipeline = socketio site
[filter:socketio]
use = egg:tgsio_middleware#socketio
{settings}
[app:site]
paste.app_factory = {site}:make_app
{app}
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = {level}
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(levelname)s %(name)s %(message)s
"""
RUN = """
import sys
from logging.config import fileConfig
from paste.deploy import loadapp, loadserver
uri = 'config:' + sys.argv[1]
fileConfig(sys.argv[1], disable_existing_loggers=False)
server = loadserver(uri)
server(loadapp(uri))
"""
GEARBOX = 'import sys; from gearbox.main import main; sys.argv[1:] = ["serve", "-c", sys.argv[1]]; main()'


class Live:
    """A running server: `url`, `port` (0 on a unix socket), `process`, `ini`, and what it has logged."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, ini: Path | None = None) -> None:
        self.process = process
        self.ini = ini
        self._log = log
        self.url, self.port = self._wait_for_address()

    def log(self) -> str:
        """Everything that the process has written so far."""
        return self._log.read_text('utf-8', 'replace')

    def _wait_for_address(self) -> tuple[str, int]:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = re.search(r'(?:Serving on|Listening at:) (\w+://[^:\s]+:?(\d*))\s', self.log())
            if found:
                return found[1], int(found[2] or 0)
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f'the server does not serve:\n{self.log()}')

    def wait_for_log(self, pattern: str, timeout: float = PATIENCE) -> str:
        """The log, once `pattern` is in it."""
        end = time.monotonic() + timeout
        while not re.search(pattern, self.log()):
            assert time.monotonic() < end, f'{pattern!r} is not in the log:\n{self.log()}'
            time.sleep(0.02)
        return self.log()


@contextmanager
def serve(
    site: str,
    *,
    gearbox: bool = False,
    debug: bool = False,
    level: str = 'INFO',
    server: str = '',
    app: str = '',
    port: int = 0,
    **settings: object,
) -> Iterator[Live]:
    """Serves the module `site` (its `make_app`) behind the filter with `settings`; `server` and `app` are more lines
    for their sections.
    """
    settings.setdefault('drain_timeout', 1)  # at the end of a test nobody waits for clients that it has left
    lines = '\n'.join(f'{key} = {value}' for key, value in settings.items())
    text = INI.format(
        site=site, settings=lines, debug=str(debug).lower(), server=server, app=app, level=level, port=port
    )
    with run(text, GEARBOX if gearbox else RUN) as live:
        yield live


@contextmanager
def run(ini: str, program: str = RUN) -> Iterator[Live]:
    """Runs `program` with the ini's file name as its argument until the block ends; SIGTERM ends it."""
    with tempfile.TemporaryDirectory() as folder:
        file, log = Path(folder, 'site.ini'), Path(folder, 'log')
        file.write_text(ini)
        with log.open('wb') as out:
            process = subprocess.Popen([sys.executable, '-c', program, str(file)], cwd=ROOT, stdout=out, stderr=out)
        try:
            yield Live(process, log, file)
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def eventually(holds: Callable[[], T], patience: float = PATIENCE) -> T:
    """The first true value of `holds()`; AssertionError after `patience` seconds."""
    end = time.monotonic() + patience
    while not (value := holds()):
        assert time.monotonic() < end, 'it never came to be'
        time.sleep(0.02)
    return value
