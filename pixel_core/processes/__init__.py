"""Child processes in plain standard library: frames, a supervisor, limits."""
