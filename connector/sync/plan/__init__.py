"""The plan: pure functions from what both sides hold, and what was agreed, to lines, holds and notices."""
