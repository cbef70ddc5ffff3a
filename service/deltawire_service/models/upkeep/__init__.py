"""The care of all models together, when the service starts and when it stops."""
