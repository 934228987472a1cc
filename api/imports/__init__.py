"""What comes from outside in files: read, checked whole, then recorded through the one door."""
