"""The monitor watched by itself: signs of life, a heartbeat out, a last resort, a canary.

`vitals` gathers the signs, `watchman` acts on them in a thread that depends on nothing it watches,
`canary` sends a made-up alert down the whole way. What nothing in here can notice, the death of the
whole process, is what the heartbeat's receiver is for.
"""
