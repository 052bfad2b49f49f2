"""What can go wrong with a call, told apart by what happened to the data.

    AmpersandError
    ├─ RequestInvalid   we refused it ourselves; nothing left this machine
    ├─ NotSent          no connection was made; nothing left this machine
    ├─ OutcomeUnknown   the request may have arrived; what became of it is not known
    └─ Refused          the server said no; nothing was written

Which answers to a *write* are which:

- A refusal must prove that nothing was written, because a refused create is one
  that somebody may send again. 3xx and 4xx prove it, as do 501 and 505 (the server
  does not know the method or the protocol) and a 2xx or 4xx whose body says
  `"success": false`.
- Every other 5xx proves nothing, not even with a readable problem in its body or a
  Retry-After header: the SaaS may have been written to before the failure, and
  gateways answer 502, 503 and 504 for requests that they did pass on. These are
  OutcomeUnknown and carry the problem they came with.
- Nor does a refusal whose own text tells of a failure that may have come after the
  SaaS was written to, as "HTTP status 503: server error": `ampersand.doubt`.
- A 2xx proves a write only if its body can be read and names what came of it: a
  success flag, a record id, or for bulk an operation id. Anything else (a proxy's
  login page, a truncated body, an empty one) is OutcomeUnknown.
- Whatever the status, a body that says `"success": true` reports a write; so does a
  422 with warnings and no errors: the SaaS took it, and only Ampersand's own
  bookkeeping failed (the `warnings` field in Ampersand's OpenAPI of June 2024).
- A 422 whose body is cut short might have said so too, hence OutcomeUnknown.

A *read* changes nothing, so there every status but 2xx is Refused, and OutcomeUnknown
means just that no readable answer came.

No error holds the API key, in any field, nor a reference to an object that does.
"""

from ampersand.schemas import Problem


class AmpersandError(Exception):
    """Base of all errors of this package.

    `detail` is one sentence for operators, and `str(error)` is the same sentence.
    """

    @property
    def detail(self) -> str:
        """One sentence for operators."""
        return str(self.args[0])

    def __str__(self) -> str:
        return self.detail


class RequestInvalid(AmpersandError):
    """We refused to build or send the request; `detail` says why."""


class NotSent(AmpersandError):
    """No connection was made, so nothing was sent; sending again is safe.

    `reason` says why in plain words, e.g. "The host name could not be found".
    """

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason

    @property
    def detail(self) -> str:
        """The reason, as a sentence."""
        return f"{self.reason}."


class OutcomeUnknown(AmpersandError):
    """The request may have arrived, and no answer says what became of it.

    A create must not be sent again before somebody has looked. `reason` says what
    happened in plain words, e.g. "No answer within 60 s". `problem` is what the
    server did say, or None if it said nothing.
    """

    def __init__(self, reason: str, problem: Problem | None = None) -> None:
        """Keep the reason and what the server said."""
        super().__init__(reason, problem)
        self.reason = reason
        self.problem = problem

    @property
    def detail(self) -> str:
        """The reason, as a sentence."""
        return f"{self.reason}."


class Refused(AmpersandError):
    """The server said no, and `problem` holds all that it said.

    For a write this proves that nothing was written.
    """

    def __init__(self, problem: Problem) -> None:
        """Keep what the server said."""
        super().__init__(problem)
        self.problem = problem

    @property
    def detail(self) -> str:
        """The problem's own sentence."""
        return self.problem.detail
