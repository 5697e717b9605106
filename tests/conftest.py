"""What every test may use: hypothesis' profile, and how a test says that a program is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

#: The first must be there where the reports of all processes come together.
pytest_plugins = ('tests.functional.report', 'tests.chromium')

IN_CI = bool(os.environ.get('CI'))

# The same examples at every run in CI, so that a red build is red again; new ones at every run on a desk.
settings.register_profile('ci', max_examples=200, deadline=None, derandomize=True, database=None)
settings.register_profile(
    'local', max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile('ci' if IN_CI else 'local')


def missing(what: str, hint: str) -> None:
    """Skips the test in one clear line; fails it in CI, where nothing may be missing."""
    line = f'{what} is missing: {hint}'
    if IN_CI:
        pytest.fail(line, pytrace=False)
    pytest.skip(line)


def requires(program: str, hint: str) -> str:
    """The path of `program`; `requires('redis-server', 'apt-get install redis-server')`."""
    found = shutil.which(program)
    if found is None:
        missing(program, hint)
    return str(found)


class Certificate(NamedTuple):
    """Of 127.0.0.1, signed by itself."""

    file: Path
    key: Path

    @property
    def lines(self) -> str:
        """For the server's section of an ini."""
        return f'certfile = {self.file}\nkeyfile = {self.key}'


@pytest.fixture(scope='session')
def certificate(tmp_path_factory):
    openssl = requires('openssl', 'apt-get install openssl')
    folder = tmp_path_factory.mktemp('tls')
    made = Certificate(folder / 'certificate.pem', folder / 'key.pem')
    command = [openssl, 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost']
    name = ['-addext', 'subjectAltName=IP:127.0.0.1']
    subprocess.run([*command, *name, '-keyout', made.key, '-out', made.file], check=True, capture_output=True)
    return made
