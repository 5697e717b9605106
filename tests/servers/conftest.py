"""A certificate for servers that speak TLS."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import requires


class Certificate(NamedTuple):
    """Of 127.0.0.1, signed by itself."""

    file: Path
    key: Path


@pytest.fixture(scope='session')
def certificate(tmp_path_factory):
    openssl = requires('openssl', 'apt-get install openssl')
    folder = tmp_path_factory.mktemp('tls')
    made = Certificate(folder / 'certificate.pem', folder / 'key.pem')
    command = [openssl, 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost']
    san = ['-addext', 'subjectAltName=IP:127.0.0.1']
    subprocess.run([*command, *san, '-keyout', made.key, '-out', made.file], check=True, capture_output=True)
    return made
