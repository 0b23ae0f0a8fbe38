"""The device's arithmetic repeated on numpy, bit for bit: the same integers, the same float32 operations in the same order."""
