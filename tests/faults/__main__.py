"""Lists the fault benches: `python -m tests.faults`."""

import sys

_BENCHES = """The fault benches, each one command (--help tells its options; without --processes all cores work):

  python -m tests.faults.simulate    --seeds 200 --hours 24      days of virtual time, faults drawn by seed
  python -m tests.faults.soak        --messages 17000000 --reconnects 500 --processes 8
  python -m tests.faults.kills       --kills 2000 --sealer-kills 200
  python -m tests.faults.power_cuts  --seeds 10000
  python -m tests.faults.fuzz        --frames 1000000            of each decoder
  python scripts/sabotage.py                                     guards taken away, one by one

Each ends with one line of figures and exits with 1 where a promise was broken.
"""


if __name__ == "__main__":
    sys.stdout.write(_BENCHES)
