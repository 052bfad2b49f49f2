"""Back-ups of the database and of DATA_DIR that belong together, and their proof."""
