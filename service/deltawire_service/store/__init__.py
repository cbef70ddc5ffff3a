"""The store: what the service keeps on disk, in one folder. It knows no networks and no HTTP.

A database has the models and their ledgers; parameters, batches and snapshots are in files beside it. A file
belongs to the store once a committed row names it. Whatever else lies in the folder is rubbish of a process
that died, and may be removed.
"""
