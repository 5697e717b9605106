"""One client's life, on gevent.

==============  ========================================================================================
`workers`       who runs what may block
`registry`      who is there, and when each is to be woken
`socket`        one client; `inbox`: what it said, `answers`: what it was asked
`membership`    how it comes into its namespaces and out of them; `auth`: what it says of itself then
`host`          the seam to whoever owns namespaces
`exchange`      what is said to many of them, from anywhere
`drain`         how all are sent away; `journal`: who came and went
`adoption`      namespaces that were written for gevent-socketio; `legacy`: names of its Socket
==============  ========================================================================================
"""
