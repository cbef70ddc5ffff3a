"""Layers whose forward line is a torch module."""
