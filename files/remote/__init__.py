"""Files elsewhere: looked at behind an address, or put into an S3 store."""
