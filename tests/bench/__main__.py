"""`make bench`: print every figure with its bar and write them to build/bench.json."""

from __future__ import annotations

from tests.bench import (
    counted_run,
    daily_work,
    first_page,
    imports,
    invoice_lines,
    portal_pages,
    stack_run,
    usage_paths,
)
from tests.bench.figures import Figure, report

SECTIONS = (
    counted_run.figures,
    daily_work.figures,
    invoice_lines.figures,
    usage_paths.figures,
    portal_pages.figures,
    imports.figures,
    first_page.figures,
    stack_run.figures,
)


def main() -> None:
    found: list[Figure] = []
    for section in SECTIONS:
        print(f"measuring: {section.__module__.rsplit('.', 1)[1]} …", flush=True)
        found += section()
    report(found)


if __name__ == "__main__":
    main()
