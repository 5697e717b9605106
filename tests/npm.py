"""Programs of Node that tests drive, each in a folder with its packages."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

from .conftest import missing, requires


def requires_packages(folder: Path, what: str) -> None:
    """Skips (with CI set: fails) unless Node and the folder's packages, `what`, are there; installs the latter."""
    requires('node', 'https://nodejs.org, version 18 or newer')
    with (folder / 'package-lock.json').open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one of several test processes installs
        if (folder / 'node_modules' / '.package-lock.json').exists():
            return
        if not shutil.which('npm'):
            missing('npm', 'it comes with Node')
        done = subprocess.run(['npm', 'ci', '--ignore-scripts'], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            missing(what, f'npm ci failed: {done.stderr.strip()[-300:]}')
