"""Training in the background: runs, which take the steps of a recipe over a dataset, and their trainer."""
