-- store::Session::refresh_kpis; after the hours of these days
WITH gone AS (
    DELETE FROM callsink.edge_kpis_daily WHERE day = ANY($1)
)

INSERT INTO callsink.edge_kpis_daily
SELECT
    date_trunc('day', hour, 'UTC'),
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
FROM unnest($1::timestamptz[]) AS dirty (day)
INNER JOIN callsink.edge_kpis_hourly AS part
    ON part.hour >= dirty.day AND part.hour < dirty.day + interval '24 hours'
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
