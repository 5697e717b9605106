"""nginx with the README's configuration, in front of servers of a test."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import Certificate, requires
from tests.live import PATIENCE
from tests.readme import block
from tests.redisserver import free_port

MAIN = """
daemon off;
worker_processes 1;
{user}
pid {folder}/pid;
error_log {folder}/error.log info;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def site(upstreams: Sequence[str], port: int, certificate: Certificate) -> str:
    """The README's, with other addresses and another certificate; as many upstreams as there are."""
    text = block('upstream site {')
    servers = '\n'.join(f'server {upstream} max_fails=0;' for upstream in upstreams)
    for pattern, replacement in {
        r'server 127\.0\.0\.1:8080 max_fails=0;.*\n *server 127\.0\.0\.1:8081 max_fails=0;': servers,
        r'listen 443 ssl;': f'listen 127.0.0.1:{port} ssl;',
        r'ssl_certificate .*;': f'ssl_certificate {certificate.file};',
        r'ssl_certificate_key .*;': f'ssl_certificate_key {certificate.key};',
    }.items():
        text, found = re.subn(pattern, replacement, text)
        assert found == 1, pattern
    return text


@contextmanager
def nginx(folder: Path, certificate: Certificate, upstreams: Sequence[str]) -> Iterator[str]:
    """Runs it; gives the URL. `upstreams` as in its configuration: `127.0.0.1:8080`, `unix:/run/site.sock`."""
    program = requires('nginx', 'apt-get install nginx')
    port = free_port()
    (folder / 'site.conf').write_text(site(upstreams, port, certificate))
    user = 'user root;' if os.geteuid() == 0 else ''
    (folder / 'nginx.conf').write_text(MAIN.format(folder=folder, user=user))
    process = subprocess.Popen([program, '-c', folder / 'nginx.conf', '-p', folder], stderr=subprocess.PIPE)
    try:
        _wait_for(port, process)
        yield f'https://127.0.0.1:{port}'
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, process.stderr.read().decode()
        with socket.socket() as sock:
            if sock.connect_ex(('127.0.0.1', port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError('nginx does not listen')
