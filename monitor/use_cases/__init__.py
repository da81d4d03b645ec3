"""What the service does: each function is one transaction around a pure decision."""
