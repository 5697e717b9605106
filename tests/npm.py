"""Programs of Node that tests drive, each in a folder with its packages."""

from __future__ import annotations

import fcntl
import re
import subprocess
from pathlib import Path

from .conftest import missing, requires

#: The programs were tried with 20; nothing older than this is maintained.
OLDEST_NODE = 18
HOW_TO = f'https://nodejs.org, version {OLDEST_NODE} or newer'


def requires_packages(folder: Path, what: str) -> None:
    """Skips (with CI set: fails) unless Node and the folder's packages, `what`, are there; installs the latter."""
    version = subprocess.run([requires('node', HOW_TO), '--version'], capture_output=True, text=True).stdout.strip()
    found = re.match(r'v(\d+)', version)
    if not found or int(found[1]) < OLDEST_NODE:
        missing(f'a usable node (this is {version or "a broken one"})', HOW_TO)
    with (folder / 'package-lock.json').open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one of several test processes installs
        if (folder / 'node_modules' / '.package-lock.json').exists():  # npm writes it last
            return
        npm = requires('npm', 'it comes with Node')
        done = subprocess.run([npm, 'ci', '--ignore-scripts'], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            missing(what, f'npm ci failed: {done.stderr.strip()[-300:]}')
