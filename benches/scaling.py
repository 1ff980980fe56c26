#!/usr/bin/env python3
"""Simulates N callsinks on one PostgreSQL: how often do two batches that are under way share a call?

In: the rate of calls, the number of services, how many times faster than life events come (1: live; more: after an
outage, when retries bring hours in minutes). Out: a table for docs/scaling.md. A shared call means that one batch
waits for the other's row lock; in no case a deadlock, as both lock in the order of call_sid.
Assumptions: events of a call as `callsink simulate` makes them (1 to 3 partials from 20 s after its end, a prediction
after 8 to 11 minutes, a complete after 20 to 30, 10 % sent again within the hour); a balancer that knows nothing of
calls; two workers a service; a batch takes 5 ms + 0.07 ms an event, as measured.
"""

import heapq
import random


def events(calls_per_second, seconds, compression, dice):
    """(time of arrival, call), sorted, in a window of a stream that goes on for ever."""
    stages = []
    calls = int(calls_per_second * seconds)
    for call in range(calls):
        ended = dice.uniform(0, seconds * compression)
        times = [ended + dice.uniform(20, 100)]
        for _ in range(dice.choices([0, 1, 2], [35, 40, 25])[0]):
            times.append(times[-1] + dice.uniform(40, 160))
        times += [ended + dice.uniform(480, 660), ended + dice.uniform(1200, 1800)]
        times += [time + dice.uniform(0, 3600) for time in times if dice.random() < 0.1]
        # Folded into the window, so that all of it is as busy as a day is; events that only folding brings
        # together count as those of different calls.
        for time in times:
            turn, arrival = divmod(time / compression, seconds)
            stages.append((arrival, call + calls * int(turn)))
    stages.sort()
    return stages


def simulate(services, stream, batch=500, linger=0.015, workers=2):
    """Share of batches that meet a call of another batch under way."""
    lanes = services * workers
    waiting = [[] for _ in range(lanes)]
    free_at = [0.0] * lanes
    under_way = []  # (end, calls)
    batches = shared = events_in = 0
    dice = random.Random(2)

    def flush(lane, now):
        nonlocal batches, shared, events_in
        calls = set(waiting[lane])
        start = max(now, free_at[lane])
        while under_way and under_way[0][0] <= start:
            heapq.heappop(under_way)
        batches += 1
        events_in += len(waiting[lane])
        shared += any(not calls.isdisjoint(other) for _, _, other in under_way)
        free_at[lane] = start + 0.005 + 0.00007 * len(waiting[lane])
        heapq.heappush(under_way, (free_at[lane], batches, calls))
        waiting[lane].clear()

    first = [0.0] * lanes
    for now, call in stream:
        lane = dice.randrange(services) * workers + call % workers
        if not waiting[lane]:
            first[lane] = now
        waiting[lane].append(call)
        if len(waiting[lane]) >= batch or (now - first[lane] > linger and free_at[lane] <= now):
            flush(lane, now)
    return batches, shared, events_in


print("| calls/s | services | faster than life | events a batch | batches that wait for another |")
print("|---|---|---|---|---|")
for calls_per_second, services, compression in [
    (1000, 2, 1), (1000, 8, 1), (1000, 2, 60), (2500, 2, 60), (2500, 8, 60),
]:
    stream = events(calls_per_second, 30, compression, random.Random(1))
    batches, shared, count = simulate(services, stream)
    print(
        f"| {calls_per_second} | {services} | {compression} | {count / batches:.0f} | "
        f"{100 * shared / batches:.2f} % |"
    )
