"""The two JavaScript clients: from `demo/node_modules` where npm puts them, else from a CDN, held to the same bytes."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import NamedTuple

NODE_MODULES = Path(__file__).parent / 'node_modules'
CDN = 'https://cdn.jsdelivr.net'


class Client(NamedTuple):
    """One client's bundle for browsers."""

    #: its folder in node_modules
    folder: str
    #: name and version on npm, and so on the CDN
    package: str
    #: of dist/socket.io.min.js in that very package, which the CDN serves unchanged
    integrity: str

    @property
    def file(self) -> Path:
        return NODE_MODULES / self.folder / 'dist' / 'socket.io.min.js'

    @property
    def url(self) -> str:
        """Where the site itself serves it."""
        return f'/files/{self.folder}.js'

    def script(self) -> str:
        """The element that loads it."""
        if self.file.is_file():
            return f'<script defer src="{escape(self.url)}"></script>'
        url = f'{CDN}/npm/{self.package}/dist/socket.io.min.js'
        return f'<script defer src="{url}" integrity="{self.integrity}" crossorigin="anonymous"></script>'


NEW = Client(
    'socket.io-client',
    'socket.io-client@4.8.4',
    'sha384-fBrXvbDtHoeKWJ/hcA6M+YGueiDW+h45I7V6F2kD1S8bOkrF9rZYPLVkCR6BLR/1',
)
OLD = Client(
    'socket.io-client-0.9',
    'socket.io-client@0.9.17',
    'sha384-4Q4At0XhiBsha+rJwYJoobwTFJRNEXtUlQUGS11/JyEsmWTn5V7oEfS16hNxOrht',
)


def from_cdn() -> bool:
    """At least one client is not here."""
    return not (NEW.file.is_file() and OLD.file.is_file())
