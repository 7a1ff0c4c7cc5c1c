"""One module per kind of file; none knows a dataset."""
