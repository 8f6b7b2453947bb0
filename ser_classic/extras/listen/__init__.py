"""The command `listen`: the emotion of what a microphone hears. Needs the extra `mic`."""
