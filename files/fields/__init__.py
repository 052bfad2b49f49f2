"""What the columns of an object may hold: declared in a field list, or inferred."""
