"""The evidence pack of a write: one ZIP that tells what was sent and what came of it.

`archive` puts files into a signed ZIP while it is sent, `contents` says which, `files`
makes those of rows and requests, and `verify` is the program that goes with each pack.
"""
