"""What long work needs of the machine: processes, locks, whole files, places, progress and provenance."""
