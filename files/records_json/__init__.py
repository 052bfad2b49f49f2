"""The rows of a CSV as records in JSON, and the requests that they are cut into.

header, fields ─▶ Typing (kept) ─▶ Table ─▶ record of a row ─▶ body of a request
"""
