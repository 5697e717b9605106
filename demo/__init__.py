"""The README's PingPong as a site: `make demo`, or `gearbox --relative serve -c demo/development.ini`."""
