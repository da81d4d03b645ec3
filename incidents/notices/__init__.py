"""What the public is told: component status, uptime, maintenance and the formats other programs
read.
"""
