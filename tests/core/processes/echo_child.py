"""A child for the tests: does what each request says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from pixel_core.processes.child import Request, start_child


def answer(request: Request) -> object:
    """`{"do": …}` → reply."""
    wish = json.loads(request.body)
    do = wish["do"]
    if do == "echo":
        return wish["value"]
    if do == "environment":
        return sorted(os.environ)
    if do == "print":
        sys.stdout.write("printed by python\n")
        sys.stdout.flush()
        os.write(1, b"printed by native code\n")
        subprocess.run(["echo", "printed by a program"], check=True)
        return "printed"
    if do == "events":
        for number in range(wish["value"]):
            request.send_event(number)
        return "done"
    if do == "wait politely":
        while not request.is_cancelled():
            time.sleep(0.005)
        return "stopped"
    if do == "hang":
        time.sleep(1000)
    if do == "spawn and hang":
        subprocess.Popen(["sleep", "1000.5"], start_new_session=False)
        request.send_event("spawned")
        time.sleep(1000)
    if do == "exit":
        sys.stderr.write("last words\n")
        sys.stderr.flush()
        os._exit(wish["value"])
    if do == "kill":
        os.kill(os.getpid(), wish["value"])
    if do == "allocate":
        return len(bytearray(wish["value"]))
    if do == "long reply":
        return "x" * wish["value"]
    if do == "stderr":
        sys.stderr.write("a line\n" * 100_000 + "the end\n")
        return "written"
    raise ValueError(do)


if __name__ == "__main__":
    channel = start_child(sys.argv[1:])
    channel.serve(answer)
