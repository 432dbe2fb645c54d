"""Which sentences are running text: not code, not an address, not a table, not the title of a section that is gone.

Plain paragraphs in, a document out. Markup is gone before a paragraph comes here; whether a whole document is good
enough is for `selection`.
"""

import re
from collections.abc import Iterable

SENTENCE = re.compile(r"(?<=[.!?])[\"')\]]?\s+(?=[A-Z\"'(\[])")
NOISE = re.compile(  # a sentence that holds one of these is no running text
    r"https?:|www\.|[{}<>\\`|^~@$]|\S{41}|==|&&|\+\+|--\w|::|\.\.\.|…|:\w+:|\w\(\w*[,=]|\[[\w\"':, ]*\]|\S=\S|"
    r"\w/\w+/\w|\.{2,}/|%[sdr(]|__\w|# ?[a-z]|\bimport \w+$|[\"']: |;$|_\w+_\w+_|\b\w+\.\w+\.\w+\(|"
    r"(?:\b\w+\.\w+\.\S+ ){2}|License, Version|[Ll]icensed under|may not use this file|WITHOUT WARRANT|[Cc]opyright|"
    r"[^\x20-\u024f\u2010-\u2027]"  # arrows, formulas, writing that is not Latin
)
EMPTY = re.compile(  # titles of sections whose contents are gone: signatures, examples, lists of changes
    r"(?i)(?:other )?(?:parameters?|args|arguments|keyword arguments|returns?|raises?|yields?|examples?( usage)?|"
    r"references?|see also|notes?|attributes|methods|usage|warnings?|shape|inputs?|outputs?|todo|table of contents|"
    r"contents|module contents|properties|inherits|index|changelog|for example|e\.g\.|example code|license|bugfixes|"
    r"bug fixes|improvements|features?|fix(?:es)?|installation|enhancements|default|required|optional|"
    r"- (?:none|true|false))[:.]?"
)
LETTERS = re.compile(r"[A-Za-z ]")
LEAST_LETTERS = 0.85  # of a paragraph's characters, letters and spaces


def tidied(parts: Iterable[str]) -> str:
    """Paragraphs apart by a blank line, items of a list by none; what is no running text is gone.

    tidied(["Parameters", "An order.", "- one", "- two"]) -> "An order.\\n\\n- one\\n- two". A sentence that ends in a
    colon announces a list; where none follows, it goes too.
    """
    text, kept = "", [part for part in map(sentences, parts) if part and not EMPTY.fullmatch(part)]
    for part, after in zip(kept, [*kept[1:], ""], strict=False):
        if part.endswith(":") and not after.startswith("- "):
            part = " ".join(SENTENCE.split(part)[:-1])
        if part:
            close = part.startswith("- ") and text.rsplit("\n", 1)[-1].startswith("- ")
            text += ("" if not text else "\n" if close else "\n\n") + part
    return text


def sentences(paragraph: str) -> str:
    """The sentences of a paragraph that are running text; "" when most of what is left is signs and numbers.

    sentences("It opens a file. Call open(path, mode).") -> "It opens a file."
    """
    if NOISE.search(paragraph):
        kept = [part for part in SENTENCE.split(paragraph) if not NOISE.search(part)]
        bullet = "- " if paragraph.startswith("- ") and kept and not kept[0].startswith("- ") else ""
        paragraph = bullet + " ".join(kept)
    few = len(LETTERS.findall(paragraph)) < LEAST_LETTERS * len(paragraph) - 3
    if few or len(paragraph) <= 2 or paragraph.rstrip(" .:-").isnumeric():
        return ""
    return "" if paragraph.endswith(":") and "  " in paragraph else paragraph.strip(" \t")
