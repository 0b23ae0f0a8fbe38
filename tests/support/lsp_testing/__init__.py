"""An editor for tests: the real server in a process of its own, and a client with the abilities that a real editor declared."""
