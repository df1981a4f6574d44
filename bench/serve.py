"""`upcard serve` as a module that can be started with `python -m`; requests are counted, but none is held back."""

from cards.kandji._client import Kandji
from connector.cli.serve import run_host
from connector.sdk.client import Limits

if __name__ == "__main__":
    Kandji.limits = Limits(per_second=10_000, per_hour=1_000_000_000)
    run_host()
