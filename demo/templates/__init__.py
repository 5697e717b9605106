"""Kajiki templates; what they share is in layout.xhtml and parts.xhtml."""
