"""The cards there are, and everything that is derived from them: schemas, the OpenAPI document, the README's table."""
