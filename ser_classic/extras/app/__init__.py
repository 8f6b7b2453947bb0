"""The command `app`: a page in the browser that recognises emotions. It needs the extra `app`."""
