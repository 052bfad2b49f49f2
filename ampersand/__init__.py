"""A client for Ampersand's Write API that never writes twice and never guesses."""

from ampersand.async_reader import AsyncReader
from ampersand.batch_answers import BatchResult, RowResult
from ampersand.capabilities import Capabilities
from ampersand.client import Client
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
from ampersand.search import SearchHit, can_be_asked
from ampersand.secrets import SecretStr, redact

__all__ = [
    "CONNECTIONS",
    "KNOWN_LIMITS",
    "LARGEST_CSV",
    "SALESFORCE",
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
    "SearchHit",
    "SecretStr",
    "Target",
    "UpdateStyle",
    "WriteResult",
    "can_be_asked",
    "generation_for",
    "redact",
]
