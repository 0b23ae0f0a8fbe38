"""How findings, verdicts and progress look in a terminal."""
