"""What a card is made of: fields, tables, the card itself, list results, clients and errors."""
