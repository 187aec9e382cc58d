"""The resident trainer of the hospital: the only part that reads patients, owns the ledger, and decides."""
