"""Models: networks whose parameters and optimizer state the service keeps, and the steps that change them.

Every change is an entry of the model's ledger, with all it takes to compute it again. Steps compute with the
engine, which gives equal bits for equal requests; so the parameters of any version follow from a snapshot and
the entries after it.
"""
