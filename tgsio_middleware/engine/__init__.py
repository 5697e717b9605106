"""One client's life, on gevent: `workers` (who runs what may block), `registry` (who is there), `socket` (one client),
`host` (the seam to whoever owns namespaces).
"""
