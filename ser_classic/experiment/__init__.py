"""The benchmark: cells, suites of them, and runs, which store predictions; stored runs checked and merged."""
