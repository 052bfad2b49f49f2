"""The ways in which a file can be read, for the form that asks."""

from dataclasses import dataclass

from files.reading import delimiters, encodings
from files.reading.inspection import LAST_BEGIN, Inspection, Offer, Reading


@dataclass(frozen=True)
class ReadingChoices:
    """What the form shows: `chosen` is how the file is read, or best would be."""

    chosen: Reading
    encodings: list[Offer]
    delimiters: list[tuple[str, str]]
    last_begin: int = LAST_BEGIN


def choices(inspection: Inspection, reading: dict[str, object]) -> ReadingChoices:
    """Return every known way to read a file, the one that is chosen first."""
    chosen = Reading.from_json(reading) if reading else inspection.suggested
    offers = {offer.codec: offer for offer in inspection.encodings}
    codecs = dict.fromkeys([chosen.encoding, *offers, *encodings.NAMES])
    return ReadingChoices(
        chosen=chosen,
        encodings=[
            offers.get(codec) or Offer(codec, encodings.label(codec), ())
            for codec in codecs
        ],
        delimiters=[(sign, f"{name}s") for sign, name in delimiters.NAMES.items()],
    )
