"""Runs pieces of code, each in a fork of its own and a folder of its own: one start of Python for a whole corpus.

Usage: worker.py JOBS.json; a job is {"folder", "code"}; writes folder + ".out": the exit status, then what was printed.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import traceback


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        work = json.load(file)
    for name in work["preload"]:
        importlib.import_module(name)
    sys.dont_write_bytecode = True
    for job in work["jobs"]:
        child = os.fork()
        if child == 0:
            one(job["folder"], job["code"])
        _, status = os.waitpid(child, 0)
        with open(job["folder"] + ".status", "w", encoding="ascii") as file:
            file.write(str(os.waitstatus_to_exitcode(status)))


def one(folder: str, code: str) -> None:
    signal.alarm(20)
    out = os.open(folder + ".out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.chdir(folder)
    sys.path.insert(0, folder)
    failed = 0
    try:
        exec(compile(code, "<check>", "exec"), {"__name__": "__check__"})
        sys.stdout.flush()
    except SystemExit as error:
        failed = 1 if error.code else 0
        traceback.print_exc()
    except BaseException:
        failed = 1
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(failed)


main()
