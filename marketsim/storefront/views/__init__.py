"""Views of a page and of a product: functions of them alone, which change nothing and load nothing."""

from typing import Final

FORMATS: Final = ("html", "png", "json", "markdown", "text")
"""What a page can be looked at as."""
