"""The command `ser-classic`, also as `python -m ser_classic`."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C while that is imported and built is answered as any later one."""
    try:
        from ser_classic import cli

        cli.main()
    except KeyboardInterrupt:
        sys.stderr.write("ser-classic: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
