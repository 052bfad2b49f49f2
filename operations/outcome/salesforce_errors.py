"""Salesforce's error codes in plain words: what each means, and what to do.

Codes and texts are from Salesforce's "Core Data Types: StatusCode" page and from the
fixtures of amp-labs/connectors (test/salesforce/bulk).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """One sentence each: what happened, and what the operator can do."""

    meaning: str
    remedy: str


# (code, a part of the message, meaning, remedy); the first that fits is taken.
KNOWN = (
    (
        "REQUIRED_FIELD_MISSING",
        "",
        "A field that Salesforce requires is empty.",
        "Fill the named field in these rows.",
    ),
    (
        "INVALID_FIELD",
        "foreign key external id",
        "The record that the row refers to does not exist.",
        "Load the parent record first, or correct the reference.",
    ),
    (
        "INVALID_FIELD",
        "is not a valid value for the type",
        "A cell does not have the form that its field needs. Columns count from 0.",
        "Write dates as 2024-03-20, times as 2024-03-20T09:00:00Z, numbers without "
        "thousands separators.",
    ),
    (
        "INVALID_FIELD",
        "",
        "A column does not fit the object.",
        "Check the column's API name, and that the connected user may see the field.",
    ),
    (
        "DUPLICATE_VALUE",
        "specified",
        "The same key stands in the file twice, and Salesforce refused both rows.",
        "Keep one row for each key.",
    ),
    (
        "DUPLICATE_VALUE",
        "",
        "Another record already has the value of a unique field.",
        "Correct the value, or update the other record instead.",
    ),
    (
        "DUPLICATE_EXTERNAL_ID",
        "",
        "Several records in Salesforce share the key: which to update is not clear.",
        "Merge them in Salesforce, or use the record id as key.",
    ),
    (
        "DUPLICATES_DETECTED",
        "",
        "A duplicate rule of the customer found similar records.",
        "Update the existing record, or ask the customer to relax the rule.",
    ),
    (
        "MALFORMED_ID",
        "",
        "A value is not a Salesforce id, or an id of another kind of object.",
        "Check for ids that were cut off or lower-cased by a spreadsheet.",
    ),
    (
        "INVALID_CROSS_REFERENCE_KEY",
        "",
        "An id does not exist for the connected user: wrong organisation, deleted, or "
        "hidden.",
        "Check that the ids come from this customer's organisation.",
    ),
    (
        "ENTITY_IS_DELETED",
        "",
        "The record is in the recycle bin.",
        "Restore it in Salesforce, or leave the row out.",
    ),
    (
        "UNABLE_TO_LOCK_ROW",
        "",
        "Somebody else was changing the record, or its parent, at that moment.",
        "Send these rows again. If it returns, sort the file by parent record.",
    ),
    (
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "",
        "The value is not one of those that the list allows.",
        "Use an allowed value; which ones may depend on the record type.",
    ),
    (
        "STRING_TOO_LONG",
        "",
        "The text is longer than its field.",
        "Shorten it to the length in the message.",
    ),
    (
        "INVALID_EMAIL_ADDRESS",
        "",
        "This is not an email address for Salesforce.",
        "Correct the address, or leave the cell empty.",
    ),
    (
        "NUMBER_OUTSIDE_VALID_RANGE",
        "",
        "The number is too large or too small for its field.",
        "Check the unit and the decimal point.",
    ),
    (
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "",
        "A validation rule of the customer refused the row; the message is theirs.",
        "Do what the message says, or ask the customer.",
    ),
    (
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "",
        "The fields named are read-only for the connected user, as all system fields "
        "are.",
        "Take their columns out of the file, or ask the customer for write access.",
    ),
    (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "",
        "Code of the customer that runs on every save (a trigger) failed.",
        "Send the message to the customer's Salesforce admin.",
    ),
    (
        "REQUEST_LIMIT_EXCEEDED",
        "",
        "The customer's daily number of API requests is used up.",
        "Send the rows again tomorrow, or ask the customer for a higher limit.",
    ),
    (
        "ClientInputError",
        "lineending",
        "The file has CRLF line ends, perhaps in a quoted cell. Nothing was written.",
        "Save the file with LF line ends, then send it again.",
    ),
    (
        "InvalidBatch",
        "field name not found",
        "A header is not a field that the connected user can see. Only the first such "
        "header is named.",
        "Correct the header (custom fields end in __c), or ask for access to it.",
    ),
    (
        "InvalidBatch",
        "failed to parse csv",
        "A quote in the file stands where none may be.",
        "Double every quote inside a cell, and put the cell in quotes.",
    ),
    (
        "InvalidBatch",
        "records not found",
        "The file has a header and no rows.",
        "Check that the right file was sent.",
    ),
    (
        "InvalidJob",
        "does not match an external id",
        "The primary key is neither the id nor an External ID field of the object.",
        "Choose another primary key, or have the field marked as External ID.",
    ),
    (
        "InvalidJob",
        "unable to find object",
        "The customer's Salesforce has no object of this name, or hides it.",
        "Check the object's API name (custom objects end in __c).",
    ),
)


def explanation_of(code: str, message: str) -> Explanation | None:
    """Return the words for a code and its message, or None for one we do not know."""
    lowered = message.casefold()
    for known, part, meaning, remedy in KNOWN:
        if known == code and part in lowered:
            return Explanation(meaning, remedy)
    return None
