"""The site of `visited.py` behind the filter, from an ini: `python turbogears.py PORT`."""

from __future__ import annotations

import sys
from pathlib import Path

from paste.deploy import loadapp, loadserver


def main(port: str) -> None:
    ini = f'config:{Path(__file__).with_suffix(".ini")}'
    serve = loadserver(ini, global_conf={'bench_port': port})  # patches the process, before anything imports tg
    serve(loadapp(ini, global_conf={'bench_port': port}))


if __name__ == '__main__':
    main(*sys.argv[1:])
