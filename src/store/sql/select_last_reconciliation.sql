-- store::Session::last_reconciliation
SELECT max(started_time)
FROM callsink.reconciliations
WHERE finished_time IS NOT NULL AND error IS NULL
