"""Faults for maps of pixels, in small numbers for tests and in large ones for scripts/soak."""
