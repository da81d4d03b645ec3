"""The demo marketplace: a small shop that can be broken on purpose, to try the monitor on.

Run it with `python -m monitor.demo`, or inside a test with `running_shop`; see docs/demo-shop.md.
"""

from monitor.demo.running import RunningShop, running_shop

__all__ = ["RunningShop", "running_shop"]
