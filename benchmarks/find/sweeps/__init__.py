"""The peers' finders, one file per package, each run by the package itself with its default range.

`sweep(work, optimizer, order, count)` gives the rate that each of the package's rules suggests after `count` updates.
"""
