"""The mapping file: what it may say, read with all of its errors, proposed with a reason for each guess."""
