"""A run on many machines: files → partitions → parts by Dask's workers, counted in order by who began it.

:mod:`partitions` (which files, wherever all workers see them) → :mod:`connecting` (the workers, begun or found) →
:mod:`tasks` (what a worker does with a partition, as :mod:`answers` says it) → :mod:`counting` (what is done once, in order).
Only paths and counts pass the scheduler: texts go from the file to the part, and from the part to the result.
"""
