"""Connections outside of the threads that answer: accept, receive whole requests, send to slow readers."""
