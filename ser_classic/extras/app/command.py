"""`ser-classic app`: a page in the browser that recognises emotions in recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ser_classic.cli import interrupts
from ser_classic.cli.commands import Command
from ser_classic.cli.options import RARE, option
from ser_classic.cli.printing import tell


def app(
    models: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="MODEL.skops...",
            help="Saved predictors, or folders with them.",
            show_default="the package's own",
        ),
    ] = None,
    browser: Annotated[bool, option("--browser", "Open the page in a browser.")] = False,
    seconds: Annotated[float, option("--seconds SECONDS", "Longest recording.", min=1)] = 600,
    megabytes: Annotated[int, option("--megabytes N", "Largest file [MB].", min=1)] = 50,
    host: Annotated[
        str,
        option("--host ADDRESS", "Where to listen; others than this computer can reach 0.0.0.0.", RARE),
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        option("--port N", "Port.", RARE, min=1, max=65535, show_default="7860, or the next one free"),
    ] = None,
) -> None:
    """Serve a page on this computer: upload or record, and see the emotion.

    It needs an extra: pip install 'ser-classic[app]'
    """
    stop = interrupts.first_interrupt()
    from ser_classic.extras.app.answering import Limits
    from ser_classic.extras.app.page import served

    with served(models or [], tell, host, port, Limits(seconds, megabytes), browser) as page:
        print(f"{page.local_url}  (Ctrl-C to stop)", flush=True)
        while not stop.wait(1):  # on Windows, a wait without a limit notices no signal
            pass


APP = Command("app", app, ("app", "app m.skops --browser", "app models --seconds 3600"))
