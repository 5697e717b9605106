"""Processes of the site in ledger.py."""

from __future__ import annotations

from tests.live import INI, RUN, run

SITE = 'tests.servers.ledger'


class Shop:
    """Processes of the ledger's site, which share one ledger."""

    def __init__(self, folder):
        self.ledger = folder / 'ledger'
        self.ledger.touch()

    def serve(self, port=0, program=RUN, **settings):
        lines = '\n'.join(f'{key} = {value}' for key, value in settings.items())
        ini = INI.format(
            site=SITE, port=port, settings=lines, app=f'ledger = {self.ledger}', server='', debug='false', level='INFO'
        )
        return run(ini, program)

    def lines(self):
        return self.ledger.read_text().split()
