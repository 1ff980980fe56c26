#!/bin/sh
# Waits for the first simulated calls, shows what they look like, and says how to ask for more.
# Run by the service `demo-query` of docker-compose.yml.
set -eu

ask() { psql --no-psqlrc --quiet "$@" 2>/dev/null; }

# The tables may not be there yet, and neither may PostgreSQL.
until [ "$(ask -At -c "SELECT count(*) >= 5 FROM call_summaries")" = t ]; do
    sleep 1
done

query="SELECT edge, direction, count(*) AS calls, round(avg(jitter_avg)::numeric, 2) AS jitter_ms,
       round(avg(packets_loss_percentage)::numeric, 3) AS loss_percent
FROM call_edge_metrics WHERE direction IS NOT NULL GROUP BY edge, direction ORDER BY edge, direction"

echo
echo "Simulated calls are coming in; this is how they sound so far:"
echo
ask -c "$query"
cat <<TEXT
A query to try, in another terminal (docker-compose, if that is what you have):

  docker compose exec postgres psql -U callsink -c "
    SELECT call_sid, start_time, call_type, call_state, processing_state, duration, pdd_ms
    FROM call_summaries ORDER BY start_time DESC NULLS LAST LIMIT 10"

Every table and column explains itself:   \\d+ call_summaries   in   docker compose exec postgres psql -U callsink

TEXT
