"""What people and machines see of the monitor: pages, JSON and feeds over HTTP."""
