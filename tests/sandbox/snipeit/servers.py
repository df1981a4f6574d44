"""What the fixtures hand out: words for their types."""

from collections.abc import Callable

import httpx

Api = Callable[..., httpx.AsyncClient]
ADMIN = "http://server.test/_sandbox"
