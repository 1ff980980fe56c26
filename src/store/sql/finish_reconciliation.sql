-- store::Session::finish_reconciliation
UPDATE callsink.reconciliations SET
    finished_time = $2,
    windows = $3,
    missing = $4,
    healed = $5,
    error = $6
WHERE started_time = $1
