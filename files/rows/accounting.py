"""What the rows that nobody names came to, and whether what was told adds up; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from files.changes import counted
from files.rows.attribution import Claim, FailureLike, Naming
from files.rows.fates import FAILED, NOT_SENT, SUCCEEDED, UNKNOWN, State
from files.shown import shown

Verdict = Literal["ended", "not sent", "refused", "unknown"]

# An alarm names this many keys.
KEYS_SHOWN = 3
LOOK_UP = "Look these rows up in Salesforce before you send them again."


@dataclass(frozen=True)
class Told:
    """What is known of one part.

    `verdict` is "refused" where nothing of the part was written, "unknown" where nobody
    knows what became of it. `reason` says why, also for a part that ended with an error
    of its own. The counts are rows, None where nobody told them. `loose` are error
    texts that came without keys.
    """

    verdict: Verdict
    reason: str = ""
    succeeded: int | None = None
    failed: int | None = None
    groups: Sequence[FailureLike] = ()
    loose: Sequence[str] = ()

    @property
    def is_anything_written(self) -> bool:
        """Whether something tells that rows were taken and written."""
        return bool(self.succeeded)

    @property
    def is_anything_told(self) -> bool:
        """Whether something tells that rows were sent at all."""
        return bool(self.succeeded or self.failed or self.groups or self.loose)


@dataclass(frozen=True)
class Account:
    """What the claims of one part and its counts prove together.

    `rows` is how many rows the part has, `named` how many times the log names a key.
    `accounted` is how many rows failed going by these: exact where each failed row was
    named once.
    """

    told: Told
    rows: int
    named: int
    accounted: int

    @classmethod
    def of(cls, told: Told, rows: int, naming: Naming) -> "Account":
        """Add up the claims of a part."""
        claims = list(naming.claims())
        named = sum(claim.named for claim in (*claims, *naming.missing))
        return cls(told, rows, named, sum(claim.accounted for claim in claims))

    @property
    def proves_success(self) -> bool:
        """Whether every row that is not named must have succeeded."""
        told = self.told
        if told.verdict != "ended" or told.succeeded is None:
            return False
        if told.failed is None:
            return told.succeeded == self.rows and not self.named
        return (
            told.succeeded + told.failed == self.rows and told.failed == self.accounted
        )

    @property
    def proves_failure(self) -> bool:
        """Whether every row must have failed, also those that are not named."""
        told = self.told
        return (
            told.verdict == "ended"
            and (told.succeeded, told.failed) == (0, self.rows)
            and self.named == self.accounted
        )

    @property
    def is_refused(self) -> bool:
        """Whether nothing of the part was written, and nothing speaks against it."""
        return self.told.verdict == "refused" and not self.told.is_anything_written

    def has_failed(self, claim: Claim) -> bool:
        """Whether all rows of a claim failed; if not, nobody knows which of them did.

        Where more keys are named than rows failed, some are named twice: then a
        repeated key proves nothing about more than one row.
        """
        if self.is_refused:
            return True
        failed = self.told.failed
        is_told_twice = failed is not None and self.named > failed
        return claim.held == 1 or (claim.named >= claim.held and not is_told_twice)

    def rest(self) -> tuple[State, str]:
        """Return the state of the rows that are not named, and the reason."""
        told = self.told
        if told.verdict == "not sent" and not told.is_anything_told:
            return NOT_SENT, told.reason
        if self.is_refused:
            return FAILED, told.reason or "The part was refused; nothing was written."
        if self.proves_failure:
            return FAILED, told.reason or "Ampersand counts every row as failed."
        if self.proves_success:
            return SUCCEEDED, ""
        return UNKNOWN, told.reason or self._why_unknown()

    def _why_unknown(self) -> str:
        told = self.told
        if told.verdict == "unknown":
            return "No readable answer came for these rows."
        if told.verdict != "ended":
            return "The answers about these rows contradict each other."
        if told.succeeded is None:
            return "Ampersand did not return results for these rows."
        failed = told.failed or 0
        if failed > self.accounted and told.succeeded + failed == self.rows:
            return (
                f"Ampersand counts {counted(failed, 'failed row')}, and its log names "
                f"{self.accounted:,}. Any of these may be among the others."
            )
        return "Ampersand's counts do not match the rows in its log."

    def alarms(self, naming: Naming) -> Iterator[str]:
        """Yield a sentence for everything that does not add up."""
        told = self.told
        if told.verdict == "not sent" and told.is_anything_told:
            yield f"It counts as not sent, but results came for it. {LOOK_UP}"
        if told.verdict == "refused" and told.is_anything_written:
            yield (
                "It counts as refused, but Ampersand reports rows that succeeded. "
                f"{LOOK_UP}"
            )
        yield from self._wrong_counts()
        if naming.missing:
            keys = _listed(naming.missing)
            yield (
                f"The log names {counted(len(naming.missing), 'key')} that no row has: "
                f"{keys}. They may have been changed on the way; compare them with the "
                "file."
            )
        excess = [claim for claim in naming.claims() if claim.named > claim.held]
        if excess:
            yield (
                f"The log names {counted(len(excess), 'key')} more often than rows "
                f"have them: {_listed(excess)}. {LOOK_UP}"
            )

    def _wrong_counts(self) -> Iterator[str]:
        told = self.told
        total = (told.succeeded or 0) + (told.failed or 0)
        is_short = None not in (told.succeeded, told.failed) and total < self.rows
        if total > self.rows or is_short:
            yield (
                f"Ampersand counts {counted(total, 'row')}, and {self.rows:,} were "
                f"sent. {LOOK_UP}"
            )
        if told.failed is not None and self.named > told.failed:
            yield (
                f"Ampersand counts {counted(told.failed, 'failed row')}, and its log "
                f"names {self.named:,}. {LOOK_UP}"
            )
        elif told.failed is None and (told.succeeded or 0) + self.accounted > self.rows:
            yield (
                f"Ampersand counts {counted(told.succeeded or 0, 'row')} that "
                f"succeeded, and its log names {self.named:,} that failed; "
                f"{self.rows:,} were sent. {LOOK_UP}"
            )


def _listed(claims: Sequence[Claim]) -> str:
    keys = ", ".join(shown(claim.key) for claim in claims[:KEYS_SHOWN])
    return f"{keys} …" if len(claims) > KEYS_SHOWN else keys
