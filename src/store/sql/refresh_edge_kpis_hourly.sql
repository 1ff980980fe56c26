-- store::Session::refresh_kpis; what each column means is said at public.kpi_edges_hourly
-- One hour a time: with several, PostgreSQL doesn't see how few calls they are, and reads the whole table.
WITH gone AS (
    DELETE FROM callsink.edge_kpis_hourly WHERE hour = $1
),

-- OFFSET 0 keeps it a query of its own, so that MOS is estimated once and not in each of its figures; unlike MATERIALIZED it
-- keeps no copy of all edges on the disk.
measured AS (
    SELECT
        call.account_sid,
        CASE WHEN call.direction IN ('inbound', 'trunking_originating') THEN call.from_country_code
            ELSE call.to_country_code END AS country_code,
        CASE WHEN call.direction IN ('inbound', 'trunking_originating') THEN call.from_carrier
            ELSE call.to_carrier END AS carrier,
        edge.edge,
        edge.direction,
        edge.codec_name,
        edge.edge_location,
        edge.packets_received,
        edge.packets_sent,
        edge.packets_lost,
        edge.packets_loss_percentage AS loss,
        edge.jitter_avg,
        edge.jitter_max,
        edge.latency_avg,
        edge.rtt_avg,
        edge.mos_avg,
        public.estimate_mos(
            edge.packets_loss_percentage, edge.jitter_avg, coalesce(edge.latency_avg, edge.rtt_avg / 2), edge.codec_name
        ) AS mos_est
    FROM public.call_summaries AS call
    CROSS JOIN LATERAL unnest(call.edges) AS edge
    WHERE
        call.start_time >= $1 AND call.start_time < $1 + interval '1 hour'
        AND edge.direction IS NOT NULL
    OFFSET 0
)

INSERT INTO callsink.edge_kpis_hourly
SELECT
    $1,
    account_sid,
    edge,
    direction,
    codec_name,
    edge_location,
    country_code,
    carrier,
    count(*),
    coalesce(sum(packets_received), 0),
    coalesce(sum(packets_sent), 0),
    coalesce(sum(packets_lost), 0),
    count(loss),
    count(*) FILTER (WHERE loss > 1),
    count(*) FILTER (WHERE loss > 3),
    count(*) FILTER (WHERE loss > 5),
    count(*) FILTER (WHERE jitter_avg >= 5 AND jitter_max >= 30),
    count(jitter_avg),
    coalesce(sum(public.histogram_of(loss)), 0),
    coalesce(sum(public.histogram_of(jitter_avg)), 0),
    coalesce(sum(public.histogram_of(jitter_max)), 0),
    coalesce(sum(public.histogram_of(latency_avg)), 0),
    coalesce(sum(public.histogram_of(rtt_avg)), 0),
    count(mos_avg),
    coalesce(sum(mos_avg), 0),
    count(*) FILTER (WHERE mos_avg < 3.5),
    coalesce(sum(public.mos_histogram_of(mos_avg)), 0),
    count(mos_est),
    coalesce(sum(mos_est), 0),
    coalesce(sum(public.mos_histogram_of(mos_est)), 0)
FROM measured
GROUP BY account_sid, edge, direction, codec_name, edge_location, country_code, carrier
