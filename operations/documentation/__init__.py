"""The pages of docs/ that are generated: `make docs` writes them, a test fails when they are out of date."""

from operations.documentation.pages import DOCS, pages

__all__ = ["DOCS", "pages"]
