"""Stand-ins for the coach's surroundings: agents that reply from a list, a prover that knows its verdicts, replies of a reviewer."""
