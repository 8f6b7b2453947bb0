"""The command `app`: a page in the browser that answers to recordings. Needs the extra `app`."""
