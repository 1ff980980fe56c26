-- store::Session::begin_reconciliation
INSERT INTO callsink.reconciliations (started_time, mode, windows, missing, healed)
VALUES ($1, $2, 0, 0, 0)
