"""Relationships: their types and levels, their stages, what the ladder is worth."""
