-- Did quality change after a deploy, before and after with counts?
-- Put your time in. The same for an SDK version: group by sdk_version instead.
WITH deploy AS (SELECT now() - interval '7 days' AS at)
SELECT CASE WHEN start_time < at THEN 'before' ELSE 'after' END AS deploy, count(*) AS answered,
       round(100.0 * count(*) FILTER (WHERE tagged) / count(*), 2) AS tagged_percent,
       round(100.0 * count(*) FILTER (WHERE has_high_packet_loss) / count(*), 2) AS high_loss_percent,
       round(avg(worst_mos)::numeric, 3) AS mos, round((stddev_samp(worst_mos) / sqrt(nullif(count(worst_mos), 0)))::numeric, 3) AS mos_standard_error,
       round(avg(worst_mos_est)::numeric, 3) AS mos_est
FROM calls, deploy
WHERE start_time BETWEEN at - interval '7 days' AND at + interval '7 days' AND answered
GROUP BY 1
ORDER BY 1 DESC;
