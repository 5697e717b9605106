"""The bridge to TurboGears: the only folder that imports tg and crank.

`mount` how TurboGears' dispatcher finds a namespace; `unitofwork` the visit that every event is; `guard` what
decorators of TurboGears do to a handler; `namespace`, `controller` what users subclass; `host` all that as a Host;
`commit` when a transaction has committed; `channels` the application's PubSub; `green` whether the process was patched
in time; `hints` and `sessions` what a site would otherwise find out late.
"""
