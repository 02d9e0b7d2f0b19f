"""Texts that make Markdown parsers work hard: name and a function from a length to a text of about that length."""

from collections.abc import Callable

Family = Callable[[int], str]


def again(unit: str) -> Family:
    return lambda length: (unit * (length // len(unit) + 1))[:length]


def around(opening: str, closing: str) -> Family:
    return lambda length: opening * (length // (len(opening) + len(closing))) + closing * (length // (len(opening) + len(closing)))


def after(start: str, unit: str) -> Family:
    return lambda length: start + again(unit)(max(length - len(start), 0))


def wide_table(length: int) -> str:
    columns = length // 8
    head = "|" + "a|" * columns + "\n|" + "-|" * columns + "\n"
    return head + "|a\n" * ((length - len(head)) // 3)


def growing(unit: str) -> Family:
    """unit, unit twice, unit three times..."""

    def made(length: int) -> str:
        parts, used, times = [], 0, 1
        while used + times * len(unit) + 2 < length:
            parts.append(unit * times + "a")
            used, times = used + times * len(unit) + 2, times + 1
        return "\n".join(parts)

    return made


REPEATED = [
    *(
        ">",
        "> ",
        "> a\n",
        ">" * 19 + "a\n",
        "> " * 100 + "a\n",
        "- ",
        "- a\n",
        "-\n",
        "* ",
        "1. ",
        "- a\n\n",
        "- > ",
        "- " * 9 + "a\n",
        "> - " * 4 + "a\n",
        "> - 1. ",
    ),
    *("*a **a ", "*a_ ", "a**b", "**a ", "a** ", "*", "_", "***a", "*_", "a*", "a***b**c*", "a***a", "(*a)", "*a*", "**a**", "**a*"),
    *("~~a ", "~~a~~", "~", "~~a **b *c "),
    *(
        "[",
        "]",
        "[]",
        "[a](",
        "![[]()",
        "![",
        "[a](b",
        "[a](<b",
        '[a](b "',
        "[a][",
        "[[a]",
        "[](",
        "[a]()",
        "![a](b)",
        "[*a",
        "[`a",
        "[<",
        "[!",
        "][",
        "[\\",
        "[a]((",
        "[\n",
        "[a\n",
    ),
    *(
        "[a]: <b\n",
        '[a]: b "\n',
        "[a]:\n",
        "[a]: b 't\n",
        "[a]: b (\n",
        "[a [b ",
        "[a]: u\n",
        "[a] ",
        "[a][b] ",
        "[" * 21 + "]" * 21,
        "![" * 10 + "](a)" * 10,
        "![" * 19 + "](a)" * 19,
    ),
    *("`", "`a", "``a`", "`a``b", "```\n", "```a\n", "~~~\n", "> ```\n", "- ```\n"),
    *("<", "<a ", "<a:", "<a:b>", "<http://a.b>", "<a@b.co>", "<!--", "<?", "<![CDATA[", '<a b="', "<div>\n", "</", "<a href=x>", "<!A "),
    *("&", "&amp;", "&#", "&#0;", "&#x41;", "&" + "a" * 31, '"', "a>", "}", ":"),
    *("a|b\n-|-\n\n", "|-|-|\n", "|-", "|", "\\|", "a|b|c\n", "a|b|c\n|-|-|-|-|\n", "> a|b\n> -|-\n"),
    *(
        "http://a.b ",
        "http://a.b",
        "http://",
        "http://a.b/(",
        "http://a.b/[",
        "www.a.b ",
        "www.",
        "a.co ",
        "a.",
        "a@b.co ",
        "a@",
        "@",
        "mailto:",
        "//",
        "://",
        "a://",
        "http://a:1",
        "http://u@",
    ),
    *(
        "\t",
        "\ta\n",
        "-\ta\n",
        ">\t",
        "a\t",
        " ",
        " \n",
        "a  \n",
        "a\\\n",
        "\n",
        "\r",
        "a\n",
        "a\n\n",
        "\\",
        "\\*",
        "---\n\n",
        "a\n=\n",
        "a\n-\n",
        "# a\n",
        "#",
        "#\n",
        "    a\n",
        "1) a\n",
        "- a\n1. b\n",
    ),
    *("\0", "\x01", "\ufeff", "\u00a0", "\u0301", "\U0001f600", "漢", "\ud800"),
    # A quote that cannot go on at the next line looks at all lines below before it ends.
    *("===\n> ---\n\\\n", "> ---\na\n", "> # a\nb\n", "> ```\na\n"),
]

FAMILIES: dict[str, Family] = {
    **{repr(unit): again(unit) for unit in REPEATED},
    "emphasis nested": around("*a ", " a*"),
    "strong nested": around("**a ", " a**"),
    "strike nested": around("~~a ", " a~~"),
    "emphasis and strong nested": around("*a **b ", "b** a*"),
    "one reference, many uses": after("[a]: /u\n\n", "[a] "),
    "one long reference": lambda length: "[a]: /" + "u" * (length // 2) + "\n\n" + "[a] " * 45,
    "one long title": lambda length: '[a]: /u "' + "u" * (length // 2) + '"\n\n' + "[a] " * 45,
    "one reference as pictures": after("[a]: /u\n\n", "![a]"),
    "a label of many lines": after("[", "a\n"),
    "a title of many lines": after('[a]: b "', "c\n"),
    "links in links": lambda length: "[" * (length // 8) + "a" + "](b)" * (length // 5),
    "pictures in pictures": lambda length: "![" * (length // 8) + "a" + "](b)" * (length // 6),
    "pictures around many words": lambda length: "![" * 19 + "*a* " * ((length - 150) // 4) + "](a)" * 19,
    "brackets before many words": lambda length: "[" * 19 + "*a* " * ((length - 150) // 4),
    "growing backticks": growing("`"),
    "growing quotes": growing(">"),
    "growing lists": lambda length: "\n".join(" " * depth + "- a" for depth in range(0, 2 * int(length**0.5), 2)),
    "lazy lines under quotes": after("> " * 19 + "a\n", "b\n"),
    "lazy lines under lists": after("- " * 9 + "a\n", "b\n"),
    "a wide table of short rows": wide_table,
    "a table of many rows": after("a|b\n-|-\n", "a|b\n"),
    "a wide head": lambda length: again("a|")(length // 2) + "\n" + again("-|")(length // 2),
    "a long address": after("http://a.b/", "a"),
    "a long host": after("http://", "a."),
    "an address of braces": after("http://a.b/", "{"),
    "an address of quotes": after("http://a.b/?", '"a'),
    "a long mail address": lambda length: "a" * (length - 7) + "@b.co ",
    "a long fence": after("```", "a"),
    "a heading that closes": after("# a", " #"),
}
