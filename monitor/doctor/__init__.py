"""`monitor doctor`: is this installation well, and what is to be done where it is not."""
