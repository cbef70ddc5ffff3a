"""The formats of tables: each file reads one of them as a table of columns."""
