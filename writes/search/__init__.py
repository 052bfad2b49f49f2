"""One search over all that was written: `everywhere.search`, a module for each kind."""
