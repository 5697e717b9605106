"""Saying one thing to many, here and in other processes.

==============  ================================================================================================
`rooms`         who is in which
`address`       whom something is for
`outbox`        what waits for a transaction's commit; `plain`: values as they were when they were said
`hub`           channels of PubSub, over the `lines` of anypubsub, whose `backend` the configuration names
`node`          the bus of processes, Node's and ours; `adapter`: its messages
`emitter`       the same from a script, without a server
`link`          a process's wire to Redis; `connection`: how the server is reached
`publisher`     passes on what is said, so that nobody waits for a server; `home`: for threads that are not gevent's
`health`        what the operator hears of a server; `seldom`: and of what others send
==============  ================================================================================================

Nothing here knows a client: members are whatever can be hashed.
"""
