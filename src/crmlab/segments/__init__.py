"""Segments: bases to divide customers by, clusters, how many, how stable, how useful."""
