-- Which agents, offices or IP ranges are worst this week, and is it their network or ours?
-- The SDK edge tells what reached the agent, the client or SIP edge what reached Twilio from there: their network, if either is bad. Beyond
-- it is what Twilio received from the other side, on the carrier edge of this leg or another of the conversation. Agents, offices (public IP
-- address) and ranges (/24, of IPv6 /48) are pseudonyms; a callsink_pii_reader finds their names and addresses by the call's SID in call_summaries.
WITH edge AS (
    SELECT call_sid, max(mos_avg) AS mos,
           max(packets_loss_percentage) FILTER (WHERE edge = 'sdk_edge') AS to_agent,
           max(packets_loss_percentage) FILTER (WHERE edge IN ('client_edge', 'sip_edge')) AS from_agent,
           max(packets_loss_percentage) FILTER (WHERE edge = 'carrier_edge') AS from_other_side
    FROM call_edge_quality
    WHERE start_time >= now() - interval '7 days' AND direction = 'inbound'
    GROUP BY 1
), leg AS (
    SELECT agent_pseudonym AS agent, agent_address_pseudonym AS office, agent_network_pseudonym AS range, mos, to_agent, from_agent,
           max(from_other_side) OVER (PARTITION BY coalesce(parent_call_sid, call_sid)) AS from_other_side
    FROM calls
    JOIN edge USING (call_sid)
    WHERE start_time >= now() - interval '7 days'
), grouped AS (
    SELECT CASE 0 WHEN grouping(agent) THEN 'agent' WHEN grouping(office) THEN 'office' ELSE 'range' END AS what,
           coalesce(agent, office, range) AS pseudonym, count(*) AS calls,
           avg(mos) AS mos, avg(to_agent) AS to_agent, avg(from_agent) AS from_agent, avg(from_other_side) AS from_other_side
    FROM leg
    GROUP BY GROUPING SETS ((agent), (office), (range))
    HAVING coalesce(agent, office, range) IS NOT NULL AND count(*) >= 5
), ranked AS (
    SELECT *, greatest(to_agent, from_agent) AS worst, row_number() OVER (PARTITION BY what ORDER BY greatest(to_agent, from_agent) DESC NULLS LAST) AS place
    FROM grouped
)
SELECT what, pseudonym, calls, round(mos::numeric, 2) AS sdk_mos, round(to_agent::numeric, 2) AS loss_to_agent,
       round(from_agent::numeric, 2) AS loss_from_agent, round(from_other_side::numeric, 2) AS loss_from_other_side,
       CASE WHEN worst > 1 AND from_other_side > 1 THEN 'both' WHEN worst > 1 THEN 'theirs' WHEN from_other_side > 1 THEN 'beyond' ELSE 'fine' END AS whose
FROM ranked
WHERE place <= 5
ORDER BY what, place;
