"""The built-in layers, one family a file; entry points name them, as those of any plugin."""
