"""`python -m spandeck_dashboard`: the page on `SPANDECK_HOST`:`SPANDECK_UI_PORT`.

Exit codes: 0 stopped, 2 a setting is wrong or the port is taken (one sentence on stderr).
"""

from __future__ import annotations

import sys

from spandeck_dashboard.config import ConfigError, DashboardConfig
from spandeck_dashboard.server import PortTaken, listen, serve

USAGE = 2


def main() -> int:
    """Bind first, so that a taken port is told at once; then serve until stopped."""
    try:
        config = DashboardConfig.from_environment()
        listener = listen(config)
    except (ConfigError, PortTaken) as error:
        print(error, file=sys.stderr)
        return USAGE
    port = listener.getsockname()[1]
    print(f"Spandeck dashboard: {config.url(port)}", file=sys.stderr, flush=True)
    try:
        serve(config, listener)
    except KeyboardInterrupt:
        pass
    finally:
        listener.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
