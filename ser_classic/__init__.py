"""Speech emotion recognition with classical machine learning, evaluated speaker-independently."""
