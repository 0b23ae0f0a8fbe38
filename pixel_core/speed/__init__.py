"""How fast kernels are: measured in turns beside what the same adapter can do at most, and compared with what was measured before."""
