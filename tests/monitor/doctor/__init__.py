"""The examination of an installation, with faults that are real."""
