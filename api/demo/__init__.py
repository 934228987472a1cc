"""Demo data: an invented office, its invented enterprises and three years of their business, through the one door."""
