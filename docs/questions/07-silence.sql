-- How often is audio silent or one-way, by edge, direction, carrier and SDK version?
-- By the packets of each edge: "received nothing" heard nothing from the side that it faces. Twilio's tag silence is of the whole
-- call; it also counts streams that flow and are silent, and no field says at which edge those were.
SELECT edge, direction, coalesce(CASE WHEN edge IN ('sdk_edge', 'client_edge') THEN sdk_type || ' ' || sdk_version ELSE carrier END, '(none)') AS carrier_or_sdk,
       count(*) AS answered,
       count(*) FILTER (WHERE media = 'nothing received') AS received_nothing,
       count(*) FILTER (WHERE media = 'nothing sent') AS sent_nothing,
       count(*) FILTER (WHERE media = 'nothing') AS nothing,
       round(100.0 * count(*) FILTER (WHERE media <> 'both ways') / count(*), 1) AS not_both_ways_percent,
       round(100.0 * count(*) FILTER (WHERE has_silence) / count(*), 1) AS call_tagged_percent
FROM call_edge_silence
WHERE start_time >= now() - interval '14 days'
GROUP BY 1, 2, 3
HAVING count(*) >= 30
ORDER BY not_both_ways_percent DESC, answered DESC
LIMIT 16;
