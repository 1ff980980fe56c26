-- How good was the whole conversation: parent and child legs, worst leg?
-- Legs share a parent; a parent that was never heard of is counted by its legs.
SELECT coalesce(parent_call_sid, call_sid) AS conversation, count(*) AS legs, min(start_time)::timestamp(0) AS started,
       max(connect_seconds) AS longest_seconds, round(max(worst_loss_percent)::numeric, 2) AS worst_loss,
       round(min(worst_mos_est)::numeric, 2) AS worst_mos_est,
       (array_agg(call_sid ORDER BY worst_mos_est NULLS LAST))[1] AS worst_leg
FROM calls
WHERE start_time >= now() - interval '1 day' AND parent_call_sid IS NOT NULL
GROUP BY 1
ORDER BY worst_mos_est NULLS LAST
LIMIT 5;
