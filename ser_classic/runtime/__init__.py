"""What long work needs of the machine: processes, claims, whole files, places, progress and provenance."""
