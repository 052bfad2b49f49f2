"""What upper apps hang into the page of an operation: see `console.ui.panels`.

`operations` must not know `writes`, yet the page shows the request as it was sent.
"""

from console.ui.panels import Panels
from operations.models import Operation

_panels = Panels[Operation]()
register = _panels.register
drawn = _panels.drawn
