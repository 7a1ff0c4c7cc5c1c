"""One module per version of the schema; what was published never changes."""
