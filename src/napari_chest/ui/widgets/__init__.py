"""One widget per file; each shows what it is given and emits ``x_requested``; none acts."""
