"""The titles of the problems in other languages: a JSON file each, named by its language."""
