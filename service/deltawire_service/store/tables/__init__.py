"""The tables of the database, a file each: plain SQL, inside a transaction that the caller has begun."""
