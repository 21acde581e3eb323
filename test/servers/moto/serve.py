"""Runs moto's server with the given options until its input ends: whoever started it is gone then."""

import os
import sys
import threading

from moto.server import main


def stop_at_end_of_input():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=stop_at_end_of_input, daemon=True).start()
main(sys.argv[1:])
