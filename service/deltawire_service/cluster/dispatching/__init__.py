"""The service's side: what goes out, and what becomes of it."""
