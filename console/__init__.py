"""The Django project: settings, connections, roles, audit."""

# Said here alone: an import reads it, with no file to find and no settings to load.
VERSION = "0.1.0"
