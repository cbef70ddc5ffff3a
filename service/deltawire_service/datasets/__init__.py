"""Datasets: named tables of numbers that the service keeps, and the rows that requests take of them.

A dataset never changes. Its columns lie one after the other in one file, which is mapped where rows are read.
"""
