"""What one cell may hold, and what is wrong with it: `rules.problem`."""
