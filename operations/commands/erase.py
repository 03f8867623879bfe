"""`sidb erase`."""

import click

from operations.commands import shared_options


@click.command()
@click.argument("arguments", metavar="USER_ID…", nargs=-1)
@click.option("--file", "listed", metavar="FILE", help="Ids, one a line; - is standard input.")
@click.option("--certificate", metavar="FILE", type=click.Path(), help="Write the certificate, which repeats it.")
@click.option("--again", is_flag=True, help="The arguments are certificates: repeat them.")
@click.option("--resume", is_flag=True, help="Finish the one that was interrupted.")
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shared_options.fast
@click.option("--json", "as_json", is_flag=True, help="Print the certificate as JSON; with --yes.")
def erase(arguments: tuple[str, ...], **options: object) -> None:
    """Erase users: their rows go everywhere, and do not come back.

    From events, recommendations, staged history and rollbacks' archives;
    counts go down, niches are analysed anew. Loads leave them out from then
    on. The certificate says what was found where and what is out of reach;
    after a recovery of a backup, --again repeats the erasure with it.

    \b
    Examples:
      sidb erase --file ids.txt --dry-run
      sidb erase --file ids.txt --certificate 2026-11-26.json
      sidb erase --again 2026-11-26.json --yes
    """
    from operations.erasure import console

    console.run(arguments, console.Options(**options))  # type: ignore[arg-type]
