"""Who is on call, and who is told next while nobody has taken an incident."""
