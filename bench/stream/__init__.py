"""What a stream costs and what it keeps: a module for each row of figures, and what they share."""
