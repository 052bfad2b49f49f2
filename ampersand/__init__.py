"""A client for Ampersand's Write API that never writes twice and never guesses."""

from ampersand.associations import CATEGORIES, Association
from ampersand.async_reader import AsyncReader
from ampersand.batch_answers import Accepted, BatchResult, RowResult, Trust
from ampersand.building import LARGEST_CSV, is_same_id
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
from ampersand.generation_b import LARGEST_UPLOAD
from ampersand.generation_c import LONGEST_DEADLINE
from ampersand.installations import FieldSetting, Installation
from ampersand.listing import OperationPage
from ampersand.metadata import FieldMetadata, ObjectMetadata
from ampersand.network import AddressRefused
from ampersand.provider_headers import SALESFORCE
from ampersand.providers import HUBSPOT, KNOWN_LIMITS, BatchLimit, Provider
from ampersand.schemas import (
    Action,
    Envelope,
    IdSpelling,
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
from ampersand.uploading import Upload, UploadFailed, origin_of

__all__ = [
    "CATEGORIES",
    "CONNECTIONS",
    "HUBSPOT",
    "KNOWN_LIMITS",
    "LARGEST_CSV",
    "LARGEST_UPLOAD",
    "LONGEST_DEADLINE",
    "SALESFORCE",
    "Accepted",
    "Action",
    "AddressRefused",
    "AmpersandError",
    "Association",
    "AsyncReader",
    "BatchLimit",
    "BatchResult",
    "Capabilities",
    "Client",
    "Envelope",
    "FieldMetadata",
    "FieldSetting",
    "IdSpelling",
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
    "Trust",
    "UpdateStyle",
    "Upload",
    "UploadFailed",
    "WriteResult",
    "can_be_asked",
    "generation_for",
    "is_doubtful",
    "is_same_id",
    "origin_of",
    "redact",
]
