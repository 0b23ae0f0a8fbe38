"""A generator as projects have their own: writes `$name` as the number that it stands for, and `repeat N: line` as N lines."""

import re
import sys

NUMBERS = {"half": "0.5", "group": "64"}

for number, line in enumerate(sys.stdin.read().splitlines(), start=1):
    line = re.sub(r"\$(\w+)", lambda match: NUMBERS[match[1]], line)
    repeated = re.match(r"\s*repeat (\d+): (.*)", line)
    for _ in range(int(repeated[1]) if repeated else 1):
        sys.stdout.write(f"#line {number}\n")
        sys.stdout.write(f"{repeated[2] if repeated else line}\n")
