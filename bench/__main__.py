"""`python -m bench [NAME…]`: measure, show, keep as JSON; with --write the section of docs/performance.md as well.

Without a name everything but the long ones (pages at a million cases, the year) is measured. Nothing here is a test.
"""

import importlib
from collections.abc import Callable

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bench.result import Result, save, show, write_section

QUESTIONS = {
    "create": "taking a report in at 1, 16 and 64 clients",
    "pages": "queue page, search and case page at 1,000, 100,000 and 1,000,000 cases",
    "parts": "where the processor time of a report goes",
    "paint": "first paint of queue and case with 200,000 cases",
    "consoles": "one change to 200 live consoles",
    "start": "start-up and memory",
    "helpdesk": "django-helpdesk from PyPI beside it",
    "sms_storm": "a storm of text messages on each SMS channel",
    "calls": "telephone calls through a real Asterisk",
    "classify": "classifying one text",
    "year": "a year of a metropolis",
}
"""Each is a module of bench/ with run(tell, …) -> Result; classify prints by itself."""
USUAL = ("create", "parts", "consoles", "start", "helpdesk", "pages", "classify")


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(QUESTIONS)))
@click.option("--write", is_flag=True, help="Write the sections of docs/performance.md.")
@click.option("--quick", is_flag=True, help="A short try of everything; its figures mean little.")
@click.option("--cases", multiple=True, type=int, help="pages, paint: how many cases to store, instead of 1k, 100k, 1M; of 200k.")
@click.option("--reports", type=int, default=0, help="year: how many of its 983,155 reports; 0 for all.")
@click.option("--handled", type=float, default=0.1, help="year: share of reports that scripted staff carry to the archive.")
@click.option("--home", type=str, default="", help="year: keep the data here and go on where the last run stopped. pages: look at such a year, too.")
@click.option("--database", type=str, default="", help="year: postgresql://… instead of the embedded database.")
@click.option("--seed", type=int, default=12319, help="year, pages: the seed of what is made up.")
def main(names: tuple[str, ...], *, write: bool, quick: bool, **given: object) -> None:
    """Measure NAMES, or everything usual."""
    console = Console()
    for name in names or USUAL:
        result = measured(name, console, quick=quick, given=given)
        if result is None:
            continue
        show(result, console)
        if not quick:
            console.print(f"kept in {save(result)}", highlight=False)
        if write:
            write_section(result)


def measured(name: str, console: Console, *, quick: bool, given: dict[str, object]) -> Result | None:
    """One question's result, with a line that says what is being done meanwhile."""
    module = importlib.import_module(f"bench.{name}")
    if name == "classify":
        module.main()
        return None
    wanted = {option: given[option] for option in getattr(module, "OPTIONS", ())}
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), *getattr(module, "COLUMNS", ()))
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(QUESTIONS[name], total=None)

        def tell(words: str, *, done: float | None = None, total: float | None = None) -> None:
            if not console.is_terminal:
                console.print(words, highlight=False)  # a log shows how far a run came that broke off
            progress.update(task, description=words, completed=done, total=total)

        run: Callable[..., Result] = module.run
        return run(tell, quick=quick, **wanted)


if __name__ == "__main__":
    main(standalone_mode=True)
