"""What leaves the service: the outbox's delivery, one module for each kind of channel.

`worker` takes due rows from the outbox and hands each to its kind; `kinds` lists the kinds; `retry`
decides when a failed delivery is tried again. What is said, and to whom, was decided before a row
was written (`incidents/outbox.py`).
"""
