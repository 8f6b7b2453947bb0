"""The one exception that a user is meant to see."""


class SerClassicError(Exception):
    """Something a user can mend; the message says what, which one, what was expected and what to do."""
