"""What an operator asks to have written: Write 1-N Batch, Batch 1-1 Operation.

Write 1-N WriteTransition: every state that it was in.
Write 1-N FileJob: work on its file in the background.
Write 1-N KeyLookup: which records its keys belong to, while it is a draft.
Write 1-1 SentContent: what tells its content from others, once it was confirmed.
Write 1-N SearchTerm: what it is found by, once it was confirmed.
Batch 1-N Call: the requests of a run.
Batch 1-1 SharedAddress: where Ampersand fetches its text from.
Write 1-N IndexedValue or IndexedSlice: by which values it is found.
Write 1-N Notice: what people and programs outside are told about it.
Write 1-N Approval: that another person may let it go; Author: who changed the draft.
Write 1-N Preservation: legal holds and pins, which keep its files from retention.
SweptLog 1-1 Operation: what is told of a log whose entries went.
SavedMapping stands alone: how the columns of an object's files are named. So do
Destination, where a person wrote to, KeptFile, a file that has no write yet, and
Backlog, what the clock still has to count and index.
"""

from writes.models.approval import Approval, ApprovalQuerySet, Author
from writes.models.backlog import Backlog
from writes.models.batch import Batch
from writes.models.call import Call
from writes.models.destination import Destination, DestinationQuerySet, query_of
from writes.models.file_job import FileJob
from writes.models.kept_file import KeptFile
from writes.models.key_lookup import KeyLookup
from writes.models.notice import Notice
from writes.models.preservation import Preservation
from writes.models.record_index import IndexedSlice, IndexedValue, IndexKey
from writes.models.saved_mapping import SavedMapping
from writes.models.search_term import SearchTerm, SearchTermQuerySet
from writes.models.sent_content import SentContent, SentContentQuerySet
from writes.models.shared_address import SharedAddress
from writes.models.swept_log import SweptLog
from writes.models.transition import WriteTransition
from writes.models.write import Write, WriteQuerySet

__all__ = [
    "Approval",
    "ApprovalQuerySet",
    "Author",
    "Backlog",
    "Batch",
    "Call",
    "Destination",
    "DestinationQuerySet",
    "FileJob",
    "IndexKey",
    "IndexedSlice",
    "IndexedValue",
    "KeyLookup",
    "Notice",
    "Preservation",
    "SavedMapping",
    "SearchTerm",
    "SearchTermQuerySet",
    "SentContent",
    "SentContentQuerySet",
    "SharedAddress",
    "SweptLog",
    "KeptFile",
    "Write",
    "WriteQuerySet",
    "WriteTransition",
    "query_of",
]
