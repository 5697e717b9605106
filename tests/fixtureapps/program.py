"""A server as a program: the other side of `tests.live.run`."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any


def settings_from(file: str) -> dict[str, Any]:
    """What the JSON file holds. From now on the log is written as `tests.live.INI` has it."""
    logging.basicConfig(level=logging.INFO, format='%(levelname)s %(name)s %(message)s')
    settings: dict[str, Any] = json.loads(Path(file).read_text())
    return settings


def serve(server: Any) -> None:
    """For ever; begins by saying where, which `tests.live.Live` waits for."""
    server.start()
    print(f'Serving on http://127.0.0.1:{server.server_port}', flush=True)
    server.serve_forever()
