"""Forms whose fields stand in the address and narrow a list."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from console.ui.forms import StyledForm


class Filter(StyledForm):
    """A GET form that knows how to write itself into an address."""

    CURSORS: ClassVar[tuple[str, ...]] = ("before", "after")

    # Of which several values may be given.
    SEVERAL: ClassVar[tuple[str, ...]] = ()

    def query(self, **changes: object) -> str:
        """Return the filters as a query string, without a page, plus `changes`."""
        return urlencode({**self.narrowing, **changes}, doseq=True)

    @property
    def narrowing(self) -> dict[str, Any]:
        """The filters that are on, by field name; of several values a list."""
        given: dict[str, Any] = {}
        for name, field in self.fields.items():
            if name in self.CURSORS:
                continue
            if name in self.SEVERAL:
                values = field.widget.value_from_datadict(self.data, {}, name) or []
                given[name] = [value for value in values if value]
            else:
                given[name] = self.data.get(name, "").strip()
        return {name: value for name, value in given.items() if value}
