"""Runs at work: both sides are read, and a plan is carried out line by line."""
