"""What can be checked: journeys, their engine and their results; usable without the service."""
