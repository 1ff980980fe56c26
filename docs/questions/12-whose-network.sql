-- Which agents are worst this week, and is it their network or ours?
-- Their network: the SDK edge is bad while Twilio's gateway, on the other side, is good. Agents are pseudonyms; a
-- callsink_pii_reader groups by from_caller, or by from_ip_address for offices.
SELECT coalesce(CASE WHEN calls.from_party LIKE 'client:%' THEN calls.from_pseudonym END, calls.to_pseudonym) AS agent, count(DISTINCT calls.call_sid) AS calls,
       round(avg(sdk.mos_avg)::numeric, 2) AS sdk_mos, round(avg(sdk.packets_loss_percentage)::numeric, 2) AS sdk_loss,
       round(avg(gateway.packets_loss_percentage)::numeric, 2) AS gateway_loss,
       CASE WHEN avg(sdk.packets_loss_percentage) > 1 AND coalesce(avg(gateway.packets_loss_percentage), 0) <= 1 THEN 'theirs'
            WHEN avg(gateway.packets_loss_percentage) > 1 THEN 'beyond' ELSE 'fine' END AS whose
FROM calls
JOIN call_edge_quality AS sdk ON sdk.call_sid = calls.call_sid AND sdk.edge = 'sdk_edge' AND sdk.direction = 'inbound'
LEFT JOIN call_edge_quality AS gateway
    ON gateway.call_sid = calls.call_sid AND gateway.edge = 'client_edge' AND gateway.direction = 'inbound'
WHERE calls.start_time >= now() - interval '7 days'
GROUP BY 1
HAVING count(DISTINCT calls.call_sid) >= 5
ORDER BY sdk_mos
LIMIT 10;
