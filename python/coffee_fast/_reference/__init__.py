"""NumPy twins of the compiled kernels, one module a kernel and of the same name.

The twin is the specification: short, plain, and free of every trick the kernel plays. tests/parity compares them.
"""
