"""Snipe-IT: open-source asset tracking. Written from its source, version 8.1.4; not tried on a live server yet."""
