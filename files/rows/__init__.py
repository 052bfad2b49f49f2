"""How each row fared: `outcomes.join` writes it, `row_store.RowStore` reads it."""
