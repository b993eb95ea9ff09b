"""Games of one move: the compiled kernels that solve many of them at once, and what they ask of their arguments."""
