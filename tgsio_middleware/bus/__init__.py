"""Saying one thing to many, here and in other processes.

`rooms` who is in which; `address` whom something is for; `outbox` what waits for a transaction's commit; `hub` channels
of PubSub, over the `lines` of anypubsub; `link` a process's wire to Redis; `adapter` the messages of Node's Redis
adapter, `node` the bus that speaks them; `emitter` the same from a script, without a server.

Nothing here knows a client: members are whatever can be hashed.
"""
