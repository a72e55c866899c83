"""Whole calls by the clock on each store; what is compared is callrelay with itself."""

from cases import Case
from signaling.loads import CallLoad

SECTION = "databases"
SQLITE, POSTGRESQL, CLUSTER = "SQLite", "PostgreSQL", "PostgreSQL and Redis, two nodes"
STORES = (SQLITE, POSTGRESQL, CLUSTER)
PAIRS = 200
RATES = (5, 15)

CASES: list[Case[CallLoad]] = [
    Case(f"databases-{rate}", f"{rate} calls/s", CallLoad(2 * PAIRS, rate), STORES) for rate in RATES
]
SECTIONS = {SECTION: CASES}
