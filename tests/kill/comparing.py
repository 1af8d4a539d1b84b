"""The database against what the service remembers, row by row."""
import collections


def place_of(row):
    return (row["ra"], row["dec"], row["radius"])


def complaints_about(service, collector, runs):
    """What is wrong, a sentence each; empty where every query has exactly one row that tells the truth."""
    rows = collector.rows()
    complaints = []
    complain = complaints.append
    by_run = collections.defaultdict(list)
    for row in rows:
        by_run[row["run_id"]].append(row)
    for run in runs:
        sequences = sorted(row["sequence"] for row in by_run.pop(run.run_id, []))
        if sequences != list(range(len(run.cones))):
            missing = sorted(set(range(len(run.cones))) - set(sequences))
            complain(f"run {run.run_id}: {len(sequences)} rows for {len(run.cones)} queries; missing {missing[:10]}")
    for run_id in by_run:
        complain(f"rows of run {run_id}, which nobody ordered")
    twice = [i for i, n in collections.Counter(row["id"] for row in rows).items() if n > 1]
    if twice:
        complain(f"ids more than once: {twice[:5]}")
    conflicts = collector.count_conflicts()
    if conflicts:
        complain(f"{conflicts} records came a second time with other content")

    rows_at = collections.defaultdict(list)
    for row in rows:
        rows_at[place_of(row)].append(row)
    asked = collections.Counter(query.place for query in service.queries)
    for place, times in asked.items():
        if times > 1:
            complain(f"{place}: asked {times} times")
        if len(rows_at[place]) != 1:
            complain(f"{place}: {len(rows_at[place])} rows")
    queries = {query.place: query for query in service.queries}
    for place, found in rows_at.items():
        for row in found:
            complaint = complaint_about_row(row, queries.get(place))
            if complaint:
                complain(f"{row['id']} at {place}: {complaint}")
    return complaints


def was_killed(row):
    return row["code"] == "probe-killed"


def complaint_about_row(row, query):
    if was_killed(row):
        return None if row["verdict"] == "refused" else f"killed, but its verdict is {row['verdict']}"
    if query is None:
        return f"verdict {row['verdict']} ({row['code']}: {row['message']}), but the service was never asked"
    if not query.whole:
        return f"verdict {row['verdict']}, but the service did not answer to the end"
    found = (row["verdict"], row["http_status"], row["bytes_wire"])
    right = (query.verdict, query.status, len(query.body))
    if found != right:
        return f"{found} in the database, {right} was answered"
    if query.verdict == "ok" and row["rows"] != query.rows:
        return f"{row['rows']} rows in the database, {query.rows} were answered"
    return None
