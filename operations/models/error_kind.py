"""What tells one kind of error from another; pure."""

import hashlib
from dataclasses import dataclass

NO_REASON = "No reason was given"


@dataclass(frozen=True)
class ErrorKind:
    """What all errors of a kind share (`operations.outcome.error_kinds`)."""

    code: str
    message: str
    fields: str

    def __str__(self) -> str:
        told = f"{self.code}: {self.message}" if self.code else self.message
        return (f"{told} ({self.fields})" if self.fields else told) or NO_REASON

    @property
    def digest(self) -> str:
        """A short text that tells kinds apart, the same in every console."""
        told = "\n".join((self.code, self.message, self.fields))
        return hashlib.sha256(told.encode(errors="replace")).hexdigest()[:16]
