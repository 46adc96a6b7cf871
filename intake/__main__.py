"""`python -m intake COMMAND`: the command line. Each command stands in its own file of commands/ and is read when asked.

Errors of ours are told in one plain line and exit code 2; nothing else is caught.
"""

import importlib
import sys

import click

from intake.errors import IntakeError

COMMANDS = {
    "serve": "serve",
    "check": "check",
    "migrate": "migrate",
    "user": "user",
    "token": "token",
    "replies": "replies",
    "reconcile": "reconcile",
    "history": "history",
    "retention": "retention",
    "person": "person",
    "access": "access",
    "keys": "keys",
    "backup": "backup",
    "restore": "restore",
    "doctor": "doctor",
    "routing": "routing",
    "calendar": "calendar",
    "simulate": "simulate",
    "classify": "classify",
    "train": "train",
    "evaluate": "evaluate",
    "repeats": "repeats",
    "model": "model",
    "label": "label",
    "dial": "dial",
    "prompts": "prompts",
    "asterisk": "asterisk",
}
"""Command name to module of intake/commands/."""


class LazyGroup(click.Group):
    """Imports a command's module only when that command is wanted, so that starting stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"intake.commands.{COMMANDS[cmd_name]}").command
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """城管热线受理网关 (12319 / 96310)。设置见 docs/settings.md。"""


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except IntakeError as error:
        click.echo(error.message, err=True)
        sys.exit(2)
