"""Saying one thing to many."""
