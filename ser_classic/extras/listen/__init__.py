"""The command `listen`: emotions live from a microphone. It needs the extra `mic`."""
