"""The texts of the built-in layers in other languages, a JSON file each."""
