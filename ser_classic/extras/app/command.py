"""`ser-classic app`: a page in the browser that answers to recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ser_classic.cli import interrupts, options
from ser_classic.cli.commands import Command
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
    browser: Annotated[bool, typer.Option("--browser", help="Open the page in a browser.")] = False,
    seconds: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="Longest recording.")] = 600,
    megabytes: Annotated[int, typer.Option(min=1, metavar="N", help="Largest file [MB].")] = 50,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where to listen; others than this computer can reach 0.0.0.0.",
            rich_help_panel=options.RARE,
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            metavar="N",
            help="Port.",
            show_default="7860, or any that is free",
            rich_help_panel=options.RARE,
        ),
    ] = None,
) -> None:
    """Serve a page on this computer: upload or record, and see the emotion.

    It needs an extra: pip install 'ser-classic[app]'
    """
    stop = interrupts.first()
    from ser_classic.extras.app.answering import Limits
    from ser_classic.extras.app.page import served

    with served(models or [], tell, host, port, Limits(seconds, megabytes), browser) as page:
        print(f"{page.local_url}  (Ctrl-C to stop)", flush=True)
        while not stop.wait(1):  # on Windows, one without an end hears no signal
            pass


APP = Command("app", app, ("app", "app m.skops --browser", "app models --seconds 3600"))
