-- store::Session::refresh_kpis
UPDATE callsink.kpi_refresh SET refreshed_time = clock_timestamp()
