"""The routes of datasets, and the rows of datasets that other routes take."""
