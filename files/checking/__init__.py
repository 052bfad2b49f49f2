"""Everything that is wrong with a file as it would be sent: `check.check`.

`exact` defines what is right; `fast` looks at blocks of bytes at once, as far as it can
prove them regular, and leaves the rest to `exact`.
"""
