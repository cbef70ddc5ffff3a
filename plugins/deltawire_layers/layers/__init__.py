"""The built-in layers, one family a file. They are plugins like any other: entry points name them."""
