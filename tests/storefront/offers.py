"""Pages of drawn offers, and readers of views that share nothing with what wrote them."""

import json
import re
from html.parser import HTMLParser

from hypothesis import strategies as st

from marketsim.storefront.page import Offer, Page

ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></style></article><iframe src=//evil.example>",
    "{{ 7 * 7 }}{% raw %}",
    "![x](https://evil.example/x.png) [y](javascript:alert(1))",
    "<https://evil.example> https://evil.example www.evil.example a@evil.example",
    "`code` **bold** _it_ ~~gone~~ # head\n# head\n- item\n1. item\n> quote\n| a | b |\n---",
    "line one\r\noffer 0000000000\n  price: $0.01\n\u2028\u2029\x0b\x0c\x85",
    "\u202ereversed\u202c \u200bhidden\u200b \U000e0041\U000e0042 \x00\x1b[31m",
    "&lt;b&gt; &amp; &#60; \\u003cb\\u003e \\",
    '","price":0,"x":"',
    "]]> --> */ ${x} </script",
    "日本語 العربية emoji 🎒",
]
texts = st.one_of(
    st.sampled_from(ATTACKS), st.text(max_size=40), st.lists(st.sampled_from(ATTACKS), max_size=3).map(" ".join)
)
names = st.text("abcdef0123456789", min_size=10, max_size=10)


@st.composite
def offers(draw, slot, name):
    price = draw(st.integers(1, 10**7))
    return Offer(
        slot=slot,
        product=draw(st.integers(0, 10**6)),
        opaque_id=name,
        title=draw(texts),
        description=draw(texts),
        price_minor=price,
        was_price_minor=draw(st.sampled_from([0, price + 500])),
        rating_tenths=draw(st.sampled_from([0, *range(10, 51)])),
        reviews=draw(st.integers(0, 10**7)),
        sponsored=draw(st.booleans()),
        overall_pick=draw(st.booleans()),
        best_seller=draw(st.booleans()),
        limited_time=draw(st.booleans()),
        scarcity=draw(st.sampled_from([0, 1, 7])),
        category=draw(texts),
        attributes=tuple(draw(st.lists(st.tuples(texts, texts), max_size=3))),
    )


@st.composite
def pages(draw, least=0):
    rows, columns, n_pages = draw(st.integers(1, 3)), draw(st.integers(1, 4)), draw(st.integers(1, 2))
    n = draw(st.integers(least, rows * columns * n_pages))
    ids = draw(st.lists(names, min_size=n, max_size=n, unique=True))
    return Page(
        query=draw(texts),
        category=draw(texts),
        rows=rows,
        columns=columns,
        number=1,
        pages=n_pages,
        offers=tuple(draw(offers(slot, name)) for slot, name in enumerate(ids)),
        currency=draw(st.sampled_from(["USD", "EUR", "SEK"])),
    )


def plain(text):
    """A text as a reader sees it: printable characters, with one space wherever there are others."""
    return " ".join(re.sub(r"\s+", " ", "".join(one if one.isprintable() else " " for one in text)).split())


class Document(HTMLParser):
    """What is in an HTML document: its elements, and the text within each."""

    VOID = ("meta", "input", "img")

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self._open = [], []
        self.feed(text)
        self.close()
        assert not self._open, "elements are left open"

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "attributes": dict(attrs), "text": "", "inside": [one["tag"] for one in self._open]}
        assert len(dict(attrs)) == len(attrs), "an attribute stands twice"
        self.elements.append(element)
        if tag not in self.VOID:
            self._open.append(element)

    def handle_endtag(self, tag):
        assert self._open.pop()["tag"] == tag, "elements are crossed"

    def handle_data(self, data):
        for element in self._open:
            element["text"] += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def find(self, tag, name=None):
        return [
            one
            for one in self.elements
            if one["tag"] == tag and (name is None or name in one["attributes"].get("class", "").split())
        ]


def read_html(text):
    """(id, title, price, was-price, rating, review count, tags) of each offer, in order."""
    found = []
    for element in Document(text).elements:
        tag, of_class, words = element["tag"], element["attributes"].get("class", ""), plain(element["text"])
        if tag == "article":
            found.append({"id": element["attributes"]["aria-labelledby"].removeprefix("title-"), "tags": []})
        elif tag in ("h1", "h2") and element["attributes"].get("id"):
            found[-1]["title"] = words
        elif tag == "strong":
            found[-1]["price"] = words
        elif tag == "s":
            found[-1]["was"] = words
        elif tag == "p" and of_class == "rating":
            found[-1]["rating"] = re.sub(r"^★+ ", "", words)
        elif tag == "li" and of_class.startswith("tag "):
            found[-1]["tags"].append(of_class.removeprefix("tag "))
            found[-1].setdefault("words", []).append(words)
        elif tag == "img":
            found[-1]["alt"] = element["attributes"]["alt"]
    return found


def read_json(text):
    return json.loads(text)["offers"]


def read_text(text):
    """Facts of each offer by name, in order."""
    found = []
    for line in text.splitlines():
        if line.startswith("offer "):
            found.append({"id": line.removeprefix("offer ")})
        elif line.startswith("  "):
            name, _, value = line.strip().partition(":")
            assert name not in found[-1], f"{name} stands twice"
            found[-1][name] = value.strip()
    return found
