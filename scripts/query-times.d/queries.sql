-- What is timed: every view as people and panels ask it, over thirty days unless the name says otherwise.
CREATE TABLE query_times.queries (number integer GENERATED ALWAYS AS IDENTITY, name text, sql text);

INSERT INTO query_times.queries (name, sql) VALUES
('kpi_calls_daily: calls, ASR, NER, ACD by day', $$
    SELECT day, sum(calls), 100.0 * sum(answered) / nullif(sum(attempts), 0), 100.0 * sum(delivered) / nullif(sum(attempts), 0),
        sum(connect_seconds)::float8 / nullif(sum(answered), 0)
    FROM kpi_calls_daily WHERE day >= now() - interval '31 days' GROUP BY 1 ORDER BY 1$$),
('kpi_calls_daily: today against a week ago, by direction, type, account', $$
    SELECT day, direction, call_type, account_sid, sum(calls)
    FROM kpi_calls_daily
    WHERE day IN (date_trunc('day', now(), 'UTC') - interval '1 day', date_trunc('day', now(), 'UTC') - interval '8 days')
    GROUP BY 1, 2, 3, 4$$),
('kpi_calls_daily: PDD p50, p95, p99 by country', $$
    SELECT country_code, sum(calls), histogram_quantile(histogram_sum(pdd_histogram), 0.5),
        histogram_quantile(histogram_sum(pdd_histogram), 0.95), histogram_quantile(histogram_sum(pdd_histogram), 0.99)
    FROM kpi_calls_daily WHERE day >= now() - interval '31 days' GROUP BY 1 ORDER BY 2 DESC$$),
('kpi_calls_daily: PDD p95 by day and carrier', $$
    SELECT day, carrier, histogram_quantile(histogram_sum(pdd_histogram), 0.95)
    FROM kpi_calls_daily WHERE day >= now() - interval '31 days' GROUP BY 1, 2$$),
('kpi_calls_daily: length of calls p50, p90 by direction', $$
    SELECT direction, sum(answered), histogram_quantile(histogram_sum(connect_histogram), 0.5),
        histogram_quantile(histogram_sum(connect_histogram), 0.9)
    FROM kpi_calls_daily WHERE day >= now() - interval '31 days' GROUP BY 1$$),
('kpi_calls_daily: countries and carriers whose ASR fell against the week before', $$
    SELECT country_code, carrier, this_week, week_before FROM (SELECT country_code, carrier,
        100.0 * sum(answered) FILTER (WHERE day >= now() - interval '8 days')
            / nullif(sum(attempts) FILTER (WHERE day >= now() - interval '8 days'), 0) AS this_week,
        100.0 * sum(answered) FILTER (WHERE day < now() - interval '8 days')
            / nullif(sum(attempts) FILTER (WHERE day < now() - interval '8 days'), 0) AS week_before
    FROM kpi_calls_daily WHERE day >= now() - interval '15 days'
    GROUP BY 1, 2 HAVING sum(attempts) >= 100) AS weeks ORDER BY this_week - week_before$$),
('kpi_calls_daily: rate of each tag by day', $$
    SELECT day, 100.0 * sum(tagged) / sum(calls), 100.0 * sum(silence) / sum(calls), 100.0 * sum(high_jitter) / sum(calls),
        100.0 * sum(high_packet_loss) / sum(calls), 100.0 * sum(high_pdd) / sum(calls), 100.0 * sum(low_mos) / sum(calls)
    FROM kpi_calls_daily WHERE day >= now() - interval '31 days' GROUP BY 1 ORDER BY 1$$),
('kpi_calls_daily: short calls and who hung up, by carrier', $$
    SELECT carrier, 100.0 * sum(short_calls) / nullif(sum(short_candidates), 0), sum(hung_up_by_caller), sum(hung_up_by_callee)
    FROM kpi_calls_daily WHERE day >= now() - interval '31 days' GROUP BY 1$$),
('kpi_calls_daily: partial, predicted, complete and lag by day', $$
    SELECT day, sum(still_partial), sum(predicted_complete), sum(complete),
        histogram_quantile(histogram_sum(complete_lag_histogram), 0.95)
    FROM kpi_calls_daily WHERE day >= now() - interval '31 days' GROUP BY 1 ORDER BY 1$$),
('kpi_calls_daily: all rows and columns', $$SELECT * FROM kpi_calls_daily WHERE day >= now() - interval '31 days'$$),
('kpi_calls_hourly: calls, ASR, NER by hour', $$
    SELECT hour, sum(calls), 100.0 * sum(answered) / nullif(sum(attempts), 0), 100.0 * sum(delivered) / nullif(sum(attempts), 0)
    FROM kpi_calls_hourly WHERE hour >= now() - interval '31 days' GROUP BY 1 ORDER BY 1$$),
('kpi_calls_hourly: PDD p95 by hour', $$
    SELECT hour, histogram_quantile(histogram_sum(pdd_histogram), 0.95)
    FROM kpi_calls_hourly WHERE hour >= now() - interval '31 days' GROUP BY 1 ORDER BY 1$$),
('kpi_calls_hourly: PDD p95 by hour and country, two days', $$
    SELECT hour, country_code, histogram_quantile(histogram_sum(pdd_histogram), 0.95)
    FROM kpi_calls_hourly WHERE hour >= now() - interval '2 days' GROUP BY 1, 2$$),
('kpi_calls_hourly: all rows and columns, one day', $$
    SELECT * FROM kpi_calls_hourly WHERE hour >= date_trunc('day', now(), 'UTC') - interval '1 day'$$),
('kpi_edges_daily: loss, jitter, MOS by day, edge and direction', $$
    SELECT day, edge, direction, sum(legs), 100.0 * sum(packets_lost) / nullif(sum(packets_received + packets_lost), 0),
        histogram_quantile(histogram_sum(loss_histogram), 0.95), histogram_quantile(histogram_sum(jitter_histogram), 0.95),
        sum(mos_sum) / nullif(sum(mos_measured), 0), sum(mos_est_sum) / nullif(sum(mos_est_measured), 0)
    FROM kpi_edges_daily WHERE day >= now() - interval '31 days' GROUP BY 1, 2, 3$$),
('kpi_edges_daily: loss over 1, 3, 5 percent and jitter by carrier', $$
    SELECT carrier, country_code, sum(legs), 100.0 * sum(loss_over_1_percent) / nullif(sum(loss_measured), 0),
        100.0 * sum(loss_over_3_percent) / nullif(sum(loss_measured), 0),
        100.0 * sum(loss_over_5_percent) / nullif(sum(loss_measured), 0),
        histogram_quantile(histogram_sum(jitter_max_histogram), 0.95)
    FROM kpi_edges_daily WHERE day >= now() - interval '31 days' AND edge = 'carrier_edge' GROUP BY 1, 2$$),
('kpi_edges_daily: MOS p5, Twilio''s and estimated, RTT p95 by codec', $$
    SELECT codec_name, sum(legs), mos_quantile(histogram_sum(mos_histogram), 0.05),
        mos_quantile(histogram_sum(mos_est_histogram), 0.05), histogram_quantile(histogram_sum(rtt_histogram), 0.95)
    FROM kpi_edges_daily WHERE day >= now() - interval '31 days' GROUP BY 1$$),
('kpi_edges_daily: edge locations by country', $$
    SELECT edge_location, country_code, sum(legs), histogram_quantile(histogram_sum(latency_histogram), 0.95)
    FROM kpi_edges_daily WHERE day >= now() - interval '31 days' GROUP BY 1, 2$$),
('kpi_edges_daily: histogram of jitter', $$
    SELECT upper_bound, counted
    FROM (SELECT histogram_sum(jitter_histogram) AS jitter FROM kpi_edges_daily WHERE day >= now() - interval '31 days') AS all_days,
        histogram_buckets(jitter)$$),
('kpi_edges_daily: all rows and columns', $$SELECT * FROM kpi_edges_daily WHERE day >= now() - interval '31 days'$$),
('kpi_edges_hourly: loss and jitter p95 by hour, two days', $$
    SELECT hour, edge, direction, histogram_quantile(histogram_sum(loss_histogram), 0.95),
        histogram_quantile(histogram_sum(jitter_histogram), 0.95)
    FROM kpi_edges_hourly WHERE hour >= now() - interval '2 days' GROUP BY 1, 2, 3$$),
('kpi_edges_hourly: all rows and columns, one day', $$
    SELECT * FROM kpi_edges_hourly WHERE hour >= date_trunc('day', now(), 'UTC') - interval '1 day'$$),
('kpi_failures_daily: reasons by state and SIP response', $$
    SELECT call_state, last_sip_response_num, q850_cause, sum(calls)
    FROM kpi_failures_daily WHERE day >= now() - interval '31 days' GROUP BY 1, 2, 3 ORDER BY 4 DESC$$),
('kpi_failures_hourly: failures by hour and carrier, two days', $$
    SELECT hour, carrier, sum(calls) FROM kpi_failures_hourly WHERE hour >= now() - interval '2 days' GROUP BY 1, 2$$),
('kpi_freshness', $$SELECT * FROM kpi_freshness$$),
('calls: the last 100 bad ones', $$
    SELECT * FROM calls WHERE tagged ORDER BY start_time DESC LIMIT 100$$),
('calls: the last 100 with high packet loss', $$
    SELECT * FROM calls WHERE tagged AND has_high_packet_loss ORDER BY start_time DESC LIMIT 100$$),
('calls: the last 100', $$
    SELECT * FROM calls WHERE start_time IS NOT NULL ORDER BY start_time DESC LIMIT 100$$),
('calls: one, by SID', $$
    SELECT * FROM calls WHERE call_sid = (SELECT 'CA' || md5('4711'))$$),
('calls: all of one hour', $$
    SELECT * FROM calls
    WHERE start_time >= date_trunc('day', now(), 'UTC') - interval '12 hours'
        AND start_time < date_trunc('day', now(), 'UTC') - interval '11 hours'$$),
('call_edge_metrics: one call', $$
    SELECT edge, direction, jitter_avg, packets_loss_percentage FROM call_edge_metrics WHERE call_sid = (SELECT 'CA' || md5('4711'))$$),
('call_edge_quality: one call', $$
    SELECT * FROM call_edge_quality WHERE call_sid = (SELECT 'CA' || md5('4711'))$$),
('call_edge_quality: by SDK edge, one hour', $$
    SELECT edge, direction, percentile_disc(0.95) WITHIN GROUP (ORDER BY jitter_avg) FROM call_edge_quality
    WHERE start_time >= date_trunc('day', now(), 'UTC') - interval '12 hours'
        AND start_time < date_trunc('day', now(), 'UTC') - interval '11 hours'
    GROUP BY 1, 2$$);
