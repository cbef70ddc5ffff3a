"""The protocol UM-Bridge 1.0."""
