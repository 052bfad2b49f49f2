"""A client for Ampersand's Write API that never writes twice and never guesses."""

from ampersand.async_reader import AsyncReader
from ampersand.batch_answers import Accepted, BatchResult, RowResult, Trust
from ampersand.building import is_same_id
from ampersand.capabilities import Capabilities
from ampersand.client import Client
from ampersand.doubt import is_doubtful
from ampersand.errors import (
    AmpersandError,
    NotSent,
    OutcomeUnknown,
    Refused,
    RequestInvalid,
)
from ampersand.exchange import CONNECTIONS
from ampersand.generation import generation_for
from ampersand.generation_a import LARGEST_CSV
from ampersand.generation_c import LONGEST_DEADLINE
from ampersand.installations import Installation
from ampersand.listing import OperationPage
from ampersand.metadata import FieldMetadata, ObjectMetadata
from ampersand.network import AddressRefused
from ampersand.provider_headers import SALESFORCE
from ampersand.providers import KNOWN_LIMITS, BatchLimit, Provider
from ampersand.schemas import (
    Action,
    Envelope,
    Issue,
    LogEntry,
    Operation,
    Problem,
    Request,
    Target,
    UpdateStyle,
    WriteResult,
)
from ampersand.secrets import SecretStr, redact

__all__ = [
    "CONNECTIONS",
    "KNOWN_LIMITS",
    "LARGEST_CSV",
    "LONGEST_DEADLINE",
    "SALESFORCE",
    "Accepted",
    "Action",
    "AddressRefused",
    "AmpersandError",
    "AsyncReader",
    "BatchLimit",
    "BatchResult",
    "Capabilities",
    "Client",
    "Envelope",
    "FieldMetadata",
    "Installation",
    "Issue",
    "LogEntry",
    "NotSent",
    "ObjectMetadata",
    "Operation",
    "OperationPage",
    "OutcomeUnknown",
    "Problem",
    "Provider",
    "Refused",
    "Request",
    "RequestInvalid",
    "RowResult",
    "SecretStr",
    "Target",
    "Trust",
    "UpdateStyle",
    "WriteResult",
    "generation_for",
    "is_same_id",
    "redact",
    "is_doubtful",
]
