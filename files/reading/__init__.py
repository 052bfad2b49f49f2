"""From any upload to the file as read: recognised, decoded, with LF and commas.

`inspection.inspect` looks, `read.read` writes.
"""
