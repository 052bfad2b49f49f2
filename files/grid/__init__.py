"""The rows of a file for a page that shows some of them, wherever they stand."""
