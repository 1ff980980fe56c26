-- What is MOS (mean, p5, share under 3.5) by browser, operating system and SDK version?
-- By agent: group single calls by agent_pseudonym of the view calls, with worst_mos.
SELECT sdk_type, sdk_version, coalesce(sdk_browser, '(none)') AS browser, coalesce(sdk_os, '(none)') AS os, count(*) AS calls,
       round(avg(worst_mos)::numeric, 2) AS mos,
       round(percentile_cont(0.05) WITHIN GROUP (ORDER BY worst_mos)::numeric, 2) AS p5,
       round(100.0 * count(*) FILTER (WHERE worst_mos < 3.5) / count(*), 1) AS below_3_5
FROM calls
WHERE start_time >= now() - interval '14 days' AND worst_mos IS NOT NULL
GROUP BY 1, 2, 3, 4
HAVING count(*) >= 10
ORDER BY below_3_5 DESC, calls DESC
LIMIT 12;
