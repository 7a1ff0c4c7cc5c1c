"""Where work on a dataset lives, beside it and never inside."""
