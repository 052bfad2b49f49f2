"""What programs may ask of the console: reading alone, with a token, as JSON.

Endpoints stand in the apps whose rows they show, as views: `operations/views/api.py`,
`writes/views/api.py`. Here is what they have in common. `openapi` describes them from
the same declarations that serve them.
"""
