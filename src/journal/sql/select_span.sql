-- journal::open. Both ends of a B-tree: no scan.
SELECT
    coalesce((SELECT position FROM entries ORDER BY position LIMIT 1), 0),
    coalesce((SELECT position FROM entries ORDER BY position DESC LIMIT 1), 0)
