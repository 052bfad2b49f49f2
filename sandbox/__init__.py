"""A faithful local Ampersand with a small Salesforce behind it."""
