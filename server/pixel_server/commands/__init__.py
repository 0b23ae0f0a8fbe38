"""The verbs of the command line, one module each with one public function of its name that returns the exit code."""
