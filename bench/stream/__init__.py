"""What a stream costs and what it keeps: one module for each row of figures. Known to `python -m bench.stream`."""
