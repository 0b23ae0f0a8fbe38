"""The door: editor and terminal. Holds no domain logic."""
