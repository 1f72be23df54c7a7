"""python -m froster: the command line is `cli`."""

import importlib
import os
import signal
import sys
from types import ModuleType

STOPPED = "stopped; `froster train` goes on after the last whole epoch\n"


def main(arguments: list[str] | None = None) -> int:
    """Runs a command and gives its exit status."""
    try:
        return commands().main(arguments)
    except KeyboardInterrupt:
        sys.stderr.write(STOPPED)
        return 130


def commands() -> ModuleType:
    """Torch takes seconds to be imported, and makes of a KeyboardInterrupt then whatever it likes: Ctrl-C ends the process."""
    before = signal.signal(signal.SIGINT, lambda *_: (os.write(2, STOPPED.encode()), os._exit(130)))
    try:
        return importlib.import_module("froster.cli")
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    sys.exit(main())
