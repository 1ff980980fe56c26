-- store::Session::refresh_kpis; after the hours of this day
WITH gone AS (
    DELETE FROM callsink.edge_kpis_daily WHERE day = $1
)

INSERT INTO callsink.edge_kpis_daily
SELECT
    $1,
    account_sid,
    edge,
    direction,
    codec_name,
    edge_location,
    country_code,
    carrier,
    sum(legs),
    sum(packets_received),
    sum(packets_sent),
    sum(packets_lost),
    sum(loss_measured),
    sum(loss_over_1_percent),
    sum(loss_over_3_percent),
    sum(loss_over_5_percent),
    sum(jittery),
    sum(jitter_measured),
    sum(loss_histogram),
    sum(jitter_histogram),
    sum(jitter_max_histogram),
    sum(latency_histogram),
    sum(rtt_histogram),
    sum(mos_measured),
    sum(mos_sum),
    sum(mos_below_3_5),
    sum(mos_histogram),
    sum(mos_est_measured),
    sum(mos_est_sum),
    sum(mos_est_histogram)
FROM callsink.edge_kpis_hourly
WHERE hour >= $1 AND hour < $1 + interval '24 hours'
GROUP BY 2, 3, 4, 5, 6, 7, 8
