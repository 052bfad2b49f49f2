"""The log as JSON, one object a line, for programs that gather logs."""

import json
import logging
from datetime import UTC, datetime

from console.processes import this_process
from console.redaction import RedactingFormatter, masked
from console.runtime.log_context import log_context


class JsonFormatter(RedactingFormatter):
    """Formats a record as an object: time, level, logger, message, process and more.

    The time is in UTC, to the millisecond. `request_id` is the correlation id that the
    audit trail and the answer's header carry; `task` and `task_id` say what a worker
    does; `exception` is a traceback. Each API key that was read is masked, before it
    is written as JSON would spell it.
    """

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        told = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": this_process(),
            **log_context(),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            told["stack"] = self.formatStack(record.stack_info)
        return json.dumps({name: masked(text) for name, text in told.items()})
