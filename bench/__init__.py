"""What we measure, beside the peers we measure against, in the same run on the same machine.

Each module is one bench: `python -m bench.NAME` says what it needs, prints a small table and, as
its last line, a JSON object with its ratios. `python -m bench` runs them all and writes
RESULTS.md. Absolute times mean nothing on shared machines; ratios travel.
"""
